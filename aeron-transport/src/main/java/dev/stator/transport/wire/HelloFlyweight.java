package dev.stator.transport.wire;

import java.nio.charset.StandardCharsets;
import org.agrona.DirectBuffer;
import org.agrona.MutableDirectBuffer;

/**
 * The first frame of a connection: whom it is for, and where answers go. A view: valid while its
 * buffer is.
 *
 * <pre>
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +---------------+---------------+-------------------------------+
 *  |    Version    |   Type = 1    |               0               |
 *  +---------------+---------------+-------------------------------+
 *  |                   Reply Stream Id                             |
 *  +---------------------------------------------------------------+
 *  |                   Connection Id, 8 bytes                     ...   random; in every answer
 *  +---------------------------------------------------------------+
 *  |                   Reply Port                                  |   UDP; else 0. The host is
 *  +---------------------------------------------------------------+   the one this came from.
 *  |                   Name Length, bytes                          |
 *  +---------------------------------------------------------------+
 *  |                   Agent Name, UTF-8                          ...
 * </pre>
 */
public final class HelloFlyweight {
  public static final int REPLY_STREAM_OFFSET = 4;
  public static final int CONNECTION_ID_OFFSET = 8;
  public static final int REPLY_PORT_OFFSET = 16;
  public static final int NAME_LENGTH_OFFSET = 20;
  public static final int HEADER_LENGTH = 24;
  public static final int NAME_LENGTH_MAX = 1024;

  private static final int PORT_MAX = 0xFFFF;

  private DirectBuffer buffer;
  private int start;
  private int length;

  public static int length(byte[] name) {
    return HEADER_LENGTH + name.length;
  }

  public static void encode(
      MutableDirectBuffer buffer,
      int start,
      long connectionId,
      int replyStream,
      int replyPort,
      byte[] name) {
    FrameHeader.encode(buffer, start, FrameHeader.HELLO, 0);
    buffer.putInt(start + REPLY_STREAM_OFFSET, replyStream, FrameHeader.ORDER);
    buffer.putLong(start + CONNECTION_ID_OFFSET, connectionId, FrameHeader.ORDER);
    buffer.putInt(start + REPLY_PORT_OFFSET, replyPort, FrameHeader.ORDER);
    buffer.putInt(start + NAME_LENGTH_OFFSET, name.length, FrameHeader.ORDER);
    buffer.putBytes(start + HEADER_LENGTH, name);
  }

  /** The first thing wrong with its fields; {@code null} when nothing is. */
  public static FrameFault check(DirectBuffer buffer, int start, int length) {
    if (length < HEADER_LENGTH) return FrameFault.TOO_SHORT;
    final int nameLength = buffer.getInt(start + NAME_LENGTH_OFFSET, FrameHeader.ORDER);
    if (nameLength != length - HEADER_LENGTH) return FrameFault.WRONG_LENGTH;
    if (nameLength == 0 || nameLength > NAME_LENGTH_MAX) return FrameFault.OUT_OF_RANGE;
    final int port = buffer.getInt(start + REPLY_PORT_OFFSET, FrameHeader.ORDER);
    return port < 0 || port > PORT_MAX ? FrameFault.OUT_OF_RANGE : null;
  }

  public HelloFlyweight wrap(DirectBuffer newBuffer, int newStart, int newLength) {
    buffer = newBuffer;
    start = newStart;
    length = newLength;
    return this;
  }

  public int replyStream() {
    return buffer.getInt(start + REPLY_STREAM_OFFSET, FrameHeader.ORDER);
  }

  public long connectionId() {
    return buffer.getLong(start + CONNECTION_ID_OFFSET, FrameHeader.ORDER);
  }

  public int replyPort() {
    return buffer.getInt(start + REPLY_PORT_OFFSET, FrameHeader.ORDER) & PORT_MAX;
  }

  public String name() {
    final byte[] name = new byte[length - HEADER_LENGTH];
    buffer.getBytes(start + HEADER_LENGTH, name);
    return new String(name, StandardCharsets.UTF_8);
  }
}
