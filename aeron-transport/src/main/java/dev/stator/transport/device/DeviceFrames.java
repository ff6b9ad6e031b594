package dev.stator.transport.device;

import dev.stator.transport.BlockPull;
import dev.stator.transport.local.Frames;
import java.nio.ByteBuffer;

/**
 * What goes over the socket between a writer's process and a receiver's: bodies of {@link Frames}.
 * Little-endian.
 *
 * <pre>
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *
 *  writer to receiver
 *    POOL          Pool Id, 4; Handle Length, 4; the handle
 *    POOL_CLOSED   Pool Id, 4; unused, 4
 *    POST          the agent's name; then Count times
 *  +---------------------------------------------------------------+
 *  |      Sequence, Grant Id, Key High, Key Low, 8 bytes each     ...
 *  +---------------------------------------------------------------+
 *  |                        Target Block                           |
 *  +---------------------------------------------------------------+
 *  |                          Pool Id                              |
 *  +---------------------------------------------------------------+
 *  |                  Source Block, in the pool                    |
 *  +---------------------------------------------------------------+
 *  |                          Unused                               |
 *  +---------------------------------------------------------------+
 *  |                 Length of the block, 8 bytes                 ...
 *  +---------------------------------------------------------------+
 *    CONFIRM       Count times: Sequence, 8; whether the source was held, 1; unused, 7
 *
 *  receiver to writer
 *    ANSWER        Count times: Sequence, 8; Status Code, 1; unused, 7
 *    PULLED        Count times: Sequence, 8
 *    POOL_REFUSED  the agent's name; Pool Id, 4; unused, 4: the agent does not get at that pool
 *    POOL_RELEASED Pool Id, 4; unused, 4
 * </pre>
 */
final class DeviceFrames {
  static final byte POOL = 2;
  static final byte POOL_CLOSED = 3;
  static final byte POST = 4;
  static final byte CONFIRM = 5;
  static final byte ANSWER = 6;
  static final byte PULLED = 8;
  static final byte POOL_REFUSED = 9;
  static final byte POOL_RELEASED = 10;

  static final int POOL_HEADER_LENGTH = 8;
  static final int POOL_ID_LENGTH = 8;
  static final int POST_ENTRY_LENGTH = 56;
  static final int CONFIRM_ENTRY_LENGTH = 16;
  static final int ANSWER_ENTRY_LENGTH = 16;
  static final int PULLED_ENTRY_LENGTH = 8;

  /** One block's way, as the writer posts it. */
  record Post(long sequence, int poolId, BlockPull pull) {
    void encode(ByteBuffer out) {
      out.putLong(sequence).putLong(pull.grantId()).putLong(pull.keyHigh()).putLong(pull.keyLow());
      out.putInt(pull.targetBlock()).putInt(poolId).putInt(pull.sourceBlock()).putInt(0);
      out.putLong(pull.blockBytes());
    }

    static Post decode(ByteBuffer in) {
      final long sequence = in.getLong();
      final long grantId = in.getLong();
      final long keyHigh = in.getLong();
      final long keyLow = in.getLong();
      final int targetBlock = in.getInt();
      final int poolId = in.getInt();
      final int sourceBlock = in.getInt();
      in.getInt();
      final long blockBytes = in.getLong();
      return new Post(
          sequence,
          poolId,
          new BlockPull(grantId, keyHigh, keyLow, targetBlock, sourceBlock, blockBytes));
    }
  }

  private DeviceFrames() {}
}
