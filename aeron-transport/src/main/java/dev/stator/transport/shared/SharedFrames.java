package dev.stator.transport.shared;

import dev.stator.transport.BlockDelivery;
import dev.stator.transport.local.Frames;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * What goes over the socket between a writer's process and a receiver's: bodies of {@link Frames}.
 * Little-endian.
 *
 * <pre>
 *  writer to receiver
 *    POOL         Pool Id, 4; unused, 4; Pool Bytes, 8; the file's name: 39 characters of ASCII
 *    POOL_CLOSED  Pool Id, 4; unused, 4
 *    POST         Agent Name Length, 2; unused, 6; Agent Name; then Count times
 *  +---------------------------------------------------------------+
 *  |      Sequence, Grant Id, Key High, Key Low, 8 bytes each     ...
 *  +---------------------------------------------------------------+
 *  |                        Target Block                           |
 *  +---------------------------------------------------------------+
 *  |                          Pool Id                              |
 *  +---------------------------------------------------------------+
 *  |      Offset, Length of the block in the pool, 8 bytes each   ...
 *  +---------------------------------------------------------------+
 *  |                   CRC32C of the block                         |
 *  +---------------------------------------------------------------+
 *  |                          Unused                               |
 *  +---------------------------------------------------------------+
 *    MESSAGE      Agent Name Length, 2; unused, 6; Agent Name; the message
 *
 *  receiver to writer
 *    ANSWER       Count times: Sequence, 8; Status, 1; unused, 7
 * </pre>
 */
final class SharedFrames {
  static final byte POOL = 2;
  static final byte POOL_CLOSED = 3;
  static final byte POST = 4;
  static final byte MESSAGE = 5;
  static final byte ANSWER = 6;

  static final int POOL_NAME_LENGTH = 39;
  static final int POOL_LENGTH = 16 + POOL_NAME_LENGTH;
  static final int POOL_CLOSED_LENGTH = 8;
  static final int POST_ENTRY_LENGTH = 64;
  static final int ANSWER_ENTRY_LENGTH = 16;

  /** One block's way, as the writer posts it. */
  record Post(
      long sequence,
      long grantId,
      long keyHigh,
      long keyLow,
      int targetBlock,
      int poolId,
      long offset,
      long length,
      int checksum) {
    void encode(ByteBuffer out) {
      out.putLong(sequence).putLong(grantId).putLong(keyHigh).putLong(keyLow);
      out.putInt(targetBlock).putInt(poolId).putLong(offset).putLong(length);
      out.putInt(checksum).putInt(0);
    }

    /** The block, which lies here. */
    BlockDelivery delivery(MemorySegment bytes) {
      return new BlockDelivery(grantId, keyHigh, keyLow, targetBlock, checksum, bytes);
    }

    static Post decode(ByteBuffer in) {
      final Post post =
          new Post(
              in.getLong(),
              in.getLong(),
              in.getLong(),
              in.getLong(),
              in.getInt(),
              in.getInt(),
              in.getLong(),
              in.getLong(),
              in.getInt());
      in.getInt();
      return post;
    }
  }

  private SharedFrames() {}
}
