package dev.stator.transport.wire;

import java.nio.ByteOrder;
import org.agrona.DirectBuffer;
import org.agrona.MutableDirectBuffer;

/**
 * What every frame begins with. Little-endian, fields naturally aligned, as all frames are.
 *
 * <pre>
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +---------------+---------------+-------------------------------+
 *  |    Version    |     Type      |             Count             |
 *  +---------------+---------------+-------------------------------+
 * </pre>
 *
 * Count is that of entries where a frame has some, else 0.
 */
public final class FrameHeader {
  public static final int VERSION = 1;

  /** Types; never reused. */
  public static final int HELLO = 1;

  public static final int WELCOME = 2;
  public static final int FRAGMENT = 3;
  public static final int ACKNOWLEDGEMENT = 4;
  public static final int MESSAGE = 5;

  public static final int VERSION_OFFSET = 0;
  public static final int TYPE_OFFSET = 1;
  public static final int COUNT_OFFSET = 2;
  public static final int LENGTH = 4;

  static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

  private FrameHeader() {}

  static void encode(MutableDirectBuffer buffer, int offset, int type, int count) {
    buffer.putByte(offset + VERSION_OFFSET, (byte) VERSION);
    buffer.putByte(offset + TYPE_OFFSET, (byte) type);
    buffer.putShort(offset + COUNT_OFFSET, (short) count, ORDER);
  }

  public static int type(DirectBuffer buffer, int offset) {
    return buffer.getByte(offset + TYPE_OFFSET) & 0xFF;
  }

  static int count(DirectBuffer buffer, int offset) {
    return buffer.getShort(offset + COUNT_OFFSET, ORDER) & 0xFFFF;
  }

  /** The first thing wrong with length and version; {@code null} when nothing is. */
  public static FrameFault check(DirectBuffer buffer, int offset, int length) {
    if (length < LENGTH) return FrameFault.TOO_SHORT;
    if ((buffer.getByte(offset + VERSION_OFFSET) & 0xFF) != VERSION) {
      return FrameFault.WRONG_VERSION;
    }
    return null;
  }
}
