package dev.stator.http;

import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import dev.stator.http.JsonBodies.Body;
import java.nio.charset.StandardCharsets;
import org.apache.pekko.util.ByteString;

/**
 * Server-sent events on their way out, as bytes: {@code data: {…}\n\n}, with the space that some
 * clients insist on. One thread at a time.
 */
final class SseBuffer {
  static final ByteString KEEP_ALIVE = ByteString.fromString(": keep-alive\n\n");
  private static final byte[] DATA = "data: ".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] END = "\n\n".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] DONE = "[DONE]".getBytes(StandardCharsets.US_ASCII);

  private final ByteArrayBuilder bytes = new ByteArrayBuilder();

  void event(Body body) {
    bytes.write(DATA);
    JsonBodies.append(bytes, body);
    bytes.write(END);
  }

  void done() {
    bytes.write(DATA);
    bytes.write(DONE);
    bytes.write(END);
  }

  /** What was written since the last call; empty when nothing was. */
  ByteString take() {
    if (bytes.size() == 0) return ByteString.emptyByteString();
    ByteString taken = ByteString.fromArrayUnsafe(bytes.toByteArray());
    bytes.reset();
    return taken;
  }
}
