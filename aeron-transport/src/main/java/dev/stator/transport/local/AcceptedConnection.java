package dev.stator.transport.local;

import dev.stator.transport.RejectionCounters;
import dev.stator.transport.TransferStatus;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The receiver's end of a connection from one writing process.
 *
 * <pre>
 *   NEW --HELLO--&gt; GREETED --others--&gt; GREETED
 *   any --a senseless frame--&gt; closed
 * </pre>
 *
 * <b>Threads:</b> as {@link Connection}.
 */
public abstract class AcceptedConnection extends Connection {
  private static final Logger LOG = LoggerFactory.getLogger(AcceptedConnection.class);

  protected final RejectionCounters counters;
  private String writer; // Its folder. The loop's thread alone.

  protected AcceptedConnection(SocketChannel channel, SocketLoop loop, RejectionCounters counters) {
    super(channel, loop);
    this.counters = counters;
  }

  /** The folder of the other process; {@code null} before it has said so. */
  protected final String writer() {
    return writer;
  }

  @Override
  protected final String onFrame(byte kind, int count, ByteBuffer body) {
    if (kind == Frames.HELLO) return hello(body);
    return writer == null ? "a frame before its name" : onGreeted(kind, count, body);
  }

  /** As {@link #onFrame}, of who has said its name. */
  protected abstract String onGreeted(byte kind, int count, ByteBuffer body);

  private String hello(ByteBuffer body) {
    if (writer != null) return "a second name";
    if (body.remaining() != Frames.FOLDER_NAME_LENGTH) return "no name";
    final String name = Frames.getText(body, Frames.FOLDER_NAME_LENGTH);
    if (!SharedFolder.isName(name)) return "a name that is none";
    writer = name;
    return null;
  }

  /**
   * Lets answers go, or disconnects from who does not read them.
   *
   * @param appended whether there was room for them
   */
  protected final void answered(boolean appended) {
    if (appended) {
      flush();
    } else if (!isClosed()) {
      LOG.warn("Disconnected from process {}: it posts blocks and does not read answers", writer);
      close();
    }
  }

  @Override
  protected void onSenseless(String trouble) {
    counters.count(TransferStatus.MALFORMED);
    LOG.warn("Disconnected from process {}, which sends {}", writer, trouble);
    final byte[] reason = trouble.getBytes(StandardCharsets.UTF_8);
    append(Frames.REFUSED, 0, reason.length, out -> out.put(reason));
    flush();
  }
}
