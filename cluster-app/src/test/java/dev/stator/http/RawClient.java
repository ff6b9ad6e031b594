package dev.stator.http;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** A socket that speaks what the test says, byte for byte. Reads are bounded in time. */
final class RawClient implements AutoCloseable {
  private final Socket socket;
  private final InputStream in;

  private RawClient(Socket socket) throws IOException {
    this.socket = socket;
    this.in = new BufferedInputStream(socket.getInputStream());
  }

  static RawClient connect(TestServer server) {
    return connect(server, 0);
  }

  /**
   * @param receiveBufferLength of the kernel, bytes; 0 for its default
   */
  static RawClient connect(TestServer server, int receiveBufferLength) {
    try {
      Socket socket = new Socket();
      if (receiveBufferLength > 0) socket.setReceiveBufferSize(receiveBufferLength);
      socket.setSoTimeout((int) TestServer.PATIENCE.toMillis());
      socket.connect(server.server.address());
      return new RawClient(socket);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** Sends a POST with a JSON body. */
  RawClient post(String path, String body, String... headers) {
    StringBuilder request = new StringBuilder("POST " + path + " HTTP/1.1\r\nHost: test\r\n");
    for (String header : headers) request.append(header).append("\r\n");
    int length = body.getBytes(StandardCharsets.UTF_8).length;
    return send(request + "Content-Length: " + length + "\r\n\r\n" + body);
  }

  RawClient send(String text) {
    try {
      socket.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
      return this;
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** What comes up to and with this text, which is ASCII. */
  String readUntil(String end) {
    ByteArrayOutputStream read = new ByteArrayOutputStream();
    StringBuilder tail = new StringBuilder();
    try {
      while (!tail.toString().equals(end)) {
        int value = in.read();
        if (value < 0) throw new AssertionError("ended before '" + end + "': " + read);
        read.write(value);
        tail.append((char) value);
        if (tail.length() > end.length()) tail.deleteCharAt(0);
      }
    } catch (IOException failure) {
      throw new UncheckedIOException("after '" + read + "'", failure);
    }
    return read.toString(StandardCharsets.UTF_8);
  }

  /** What comes until the server closes the connection. */
  String readToEnd() {
    try {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  void closeOutput() {
    try {
      socket.shutdownOutput();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** Closes without the usual goodbye: the server sees a reset. */
  void reset() {
    try {
      socket.setSoLinger(true, 0);
      socket.close();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
