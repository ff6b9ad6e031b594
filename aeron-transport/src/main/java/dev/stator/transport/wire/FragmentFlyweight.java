package dev.stator.transport.wire;

import org.agrona.DirectBuffer;
import org.agrona.MutableDirectBuffer;

/**
 * A piece of a block on its way into a grant. A view: valid while its buffer is. Its pieces are
 * sent in order, and none of another block between them.
 *
 * <pre>
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +---------------+---------------+-------------------------------+
 *  |    Version    |   Type = 3    |               0               |
 *  +---------------+---------------+-------------------------------+
 *  |                   Block Length, bytes                         |
 *  +---------------------------------------------------------------+
 *  |                   Transfer Id, 8 bytes                       ...   the writer's, one a block
 *  +---------------------------------------------------------------+
 *  |                   Grant Id, 8 bytes                          ...
 *  +---------------------------------------------------------------+
 *  |                   Key, 16 bytes, upper half first            ...
 *  +---------------------------------------------------------------+
 *  |                   Target Block, granting side's index         |
 *  +---------------------------------------------------------------+
 *  |                   Offset, bytes from the block's start        |
 *  +---------------------------------------------------------------+
 *  |                   Piece Length, bytes                         |
 *  +---------------------------------------------------------------+
 *  |                   Checksum                                    |   CRC32C of the block through
 *  +---------------+-----------------------------------------------+   this piece: in the last one
 *  |     Flags     |   0, 7 bytes                                 ...   that of the whole block
 *  +---------------+-----------------------------------------------+
 *  |                   Bytes of the block                         ...
 * </pre>
 *
 * Flags: 1 when the writer has another block to send at once, so that an acknowledgement may wait
 * for company. A hint, no more.
 */
public final class FragmentFlyweight {
  public static final int BLOCK_LENGTH_OFFSET = 4;
  public static final int TRANSFER_ID_OFFSET = 8;
  public static final int GRANT_ID_OFFSET = 16;
  public static final int KEY_HIGH_OFFSET = 24;
  public static final int KEY_LOW_OFFSET = 32;
  public static final int TARGET_BLOCK_OFFSET = 40;
  public static final int OFFSET_OFFSET = 44;
  public static final int PIECE_LENGTH_OFFSET = 48;
  public static final int CHECKSUM_OFFSET = 52;
  public static final int FLAGS_OFFSET = 56;
  public static final int HEADER_LENGTH = 64;

  private static final byte MORE_FOLLOWS = 1;

  private DirectBuffer buffer;
  private int start;

  /** Writes all of the header but the checksum, which is known when the bytes have been copied. */
  public static void encode(
      MutableDirectBuffer buffer,
      int start,
      long transferId,
      BlockTarget target,
      int blockLength,
      int offset,
      int pieceLength) {
    FrameHeader.encode(buffer, start, FrameHeader.FRAGMENT, 0);
    buffer.putInt(start + BLOCK_LENGTH_OFFSET, blockLength, FrameHeader.ORDER);
    buffer.putLong(start + TRANSFER_ID_OFFSET, transferId, FrameHeader.ORDER);
    buffer.putLong(start + GRANT_ID_OFFSET, target.grantId(), FrameHeader.ORDER);
    buffer.putLong(start + KEY_HIGH_OFFSET, target.keyHigh(), FrameHeader.ORDER);
    buffer.putLong(start + KEY_LOW_OFFSET, target.keyLow(), FrameHeader.ORDER);
    buffer.putInt(start + TARGET_BLOCK_OFFSET, target.block(), FrameHeader.ORDER);
    buffer.putInt(start + OFFSET_OFFSET, offset, FrameHeader.ORDER);
    buffer.putInt(start + PIECE_LENGTH_OFFSET, pieceLength, FrameHeader.ORDER);
    buffer.putInt(start + CHECKSUM_OFFSET, 0, FrameHeader.ORDER);
    buffer.putLong(start + FLAGS_OFFSET, 0, FrameHeader.ORDER);
  }

  public static void encodeChecksum(MutableDirectBuffer buffer, int start, int checksum) {
    buffer.putInt(start + CHECKSUM_OFFSET, checksum, FrameHeader.ORDER);
  }

  public static void encodeMoreFollows(MutableDirectBuffer buffer, int start) {
    buffer.putByte(start + FLAGS_OFFSET, MORE_FOLLOWS);
  }

  /** The first thing wrong with lengths and offset; {@code null} when nothing is. */
  public static FrameFault check(DirectBuffer buffer, int start, int length) {
    if (length < HEADER_LENGTH) return FrameFault.TOO_SHORT;
    final int pieceLength = buffer.getInt(start + PIECE_LENGTH_OFFSET, FrameHeader.ORDER);
    if (pieceLength <= 0 || pieceLength != length - HEADER_LENGTH) return FrameFault.WRONG_LENGTH;
    final int blockLength = buffer.getInt(start + BLOCK_LENGTH_OFFSET, FrameHeader.ORDER);
    if (blockLength < pieceLength) return FrameFault.WRONG_LENGTH;
    final int offset = buffer.getInt(start + OFFSET_OFFSET, FrameHeader.ORDER);
    if (offset < 0 || offset > blockLength - pieceLength) return FrameFault.OUT_OF_RANGE;
    return null;
  }

  public FragmentFlyweight wrap(DirectBuffer newBuffer, int newStart) {
    buffer = newBuffer;
    start = newStart;
    return this;
  }

  public int blockLength() {
    return buffer.getInt(start + BLOCK_LENGTH_OFFSET, FrameHeader.ORDER);
  }

  public long transferId() {
    return buffer.getLong(start + TRANSFER_ID_OFFSET, FrameHeader.ORDER);
  }

  public long grantId() {
    return buffer.getLong(start + GRANT_ID_OFFSET, FrameHeader.ORDER);
  }

  public long keyHigh() {
    return buffer.getLong(start + KEY_HIGH_OFFSET, FrameHeader.ORDER);
  }

  public long keyLow() {
    return buffer.getLong(start + KEY_LOW_OFFSET, FrameHeader.ORDER);
  }

  public int targetBlock() {
    return buffer.getInt(start + TARGET_BLOCK_OFFSET, FrameHeader.ORDER);
  }

  public int offset() {
    return buffer.getInt(start + OFFSET_OFFSET, FrameHeader.ORDER);
  }

  /** Whether the writer says that another block comes at once. */
  public boolean moreFollows() {
    return (buffer.getByte(start + FLAGS_OFFSET) & MORE_FOLLOWS) != 0;
  }

  public int checksum() {
    return buffer.getInt(start + CHECKSUM_OFFSET, FrameHeader.ORDER);
  }
}
