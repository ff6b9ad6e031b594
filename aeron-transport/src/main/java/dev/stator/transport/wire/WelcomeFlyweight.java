package dev.stator.transport.wire;

import org.agrona.DirectBuffer;
import org.agrona.MutableDirectBuffer;

/**
 * The answer to a hello. A view: valid while its buffer is.
 *
 * <pre>
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +---------------+---------------+-------------------------------+
 *  |    Version    |   Type = 2    |               0               |
 *  +---------------+---------------+-------------------------------+
 *  |                   Status, OK or why not                       |
 *  +---------------------------------------------------------------+
 *  |                   Connection Id, 8 bytes                     ...
 *  +---------------------------------------------------------------+
 * </pre>
 */
public final class WelcomeFlyweight {
  public static final int STATUS_OFFSET = 4;
  public static final int CONNECTION_ID_OFFSET = 8;
  public static final int LENGTH = 16;

  private DirectBuffer buffer;
  private int start;

  public static void encode(MutableDirectBuffer buffer, int start, long connectionId, int status) {
    FrameHeader.encode(buffer, start, FrameHeader.WELCOME, 0);
    buffer.putInt(start + STATUS_OFFSET, status, FrameHeader.ORDER);
    buffer.putLong(start + CONNECTION_ID_OFFSET, connectionId, FrameHeader.ORDER);
  }

  /** The first thing wrong with its length; {@code null} when nothing is. */
  public static FrameFault check(DirectBuffer buffer, int start, int length) {
    if (length < LENGTH) return FrameFault.TOO_SHORT;
    return length == LENGTH ? null : FrameFault.WRONG_LENGTH;
  }

  public WelcomeFlyweight wrap(DirectBuffer newBuffer, int newStart) {
    buffer = newBuffer;
    start = newStart;
    return this;
  }

  public int status() {
    return buffer.getInt(start + STATUS_OFFSET, FrameHeader.ORDER);
  }

  public long connectionId() {
    return buffer.getLong(start + CONNECTION_ID_OFFSET, FrameHeader.ORDER);
  }
}
