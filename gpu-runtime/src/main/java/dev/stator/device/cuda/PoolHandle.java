package dev.stator.device.cuda;

import dev.stator.kv.KvLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.ThreadLocalRandom;

/**
 * What names a device's KV blocks to other processes. Little-endian.
 *
 * <pre>
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +---------------------------------------------------------------+
 *  |                           Version                             |
 *  +---------------------------------------------------------------+
 *  |                         Block Count                           |
 *  +---------------------------------------------------------------+
 *  |                  Process, 8 bytes, random                    ...
 *  +---------------------------------------------------------------+
 *  |    Offset of block 0 in the driver's allocation, 8 bytes     ...
 *  +---------------------------------------------------------------+
 *  |            the driver's handle of that, 64 bytes             ...
 *  +---------------------------------------------------------------+
 *  |   Layers, Key-Value Heads, Head Size, Type, Block Size, 4 each ...
 *  +---------------------------------------------------------------+
 *  |                           Unused                              |
 *  +---------------------------------------------------------------+
 * </pre>
 *
 * @param process tells this one's own, which it cannot open, from others
 * @param ipc the driver's handle
 */
record PoolHandle(int blockCount, long process, long offset, byte[] ipc, KvLayout layout) {
  static final int VERSION = 1;
  static final int LENGTH = 48 + Driver.IPC_HANDLE_BYTES;

  private static final long OWN_PROCESS = ThreadLocalRandom.current().nextLong();

  static PoolHandle own(int blockCount, long offset, byte[] ipc, KvLayout layout) {
    return new PoolHandle(blockCount, OWN_PROCESS, offset, ipc, layout);
  }

  byte[] encode() {
    final ByteBuffer out = ByteBuffer.allocate(LENGTH).order(ByteOrder.LITTLE_ENDIAN);
    out.putInt(VERSION).putInt(blockCount).putLong(process).putLong(offset).put(ipc);
    out.putInt(layout.layerCount()).putInt(layout.keyValueHeadCount()).putInt(layout.headSize());
    out.putInt(layout.type().ordinal()).putInt(layout.blockSize()).putInt(0);
    return out.array();
  }

  /** {@code null} for bytes that are none. */
  static PoolHandle decode(byte[] bytes) {
    if (bytes.length != LENGTH) return null;
    final ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    if (in.getInt() != VERSION) return null;
    final int blockCount = in.getInt();
    final long process = in.getLong();
    final long offset = in.getLong();
    final byte[] ipc = new byte[Driver.IPC_HANDLE_BYTES];
    in.get(ipc);
    final int layers = in.getInt();
    final int heads = in.getInt();
    final int headSize = in.getInt();
    final int type = in.getInt();
    final int blockSize = in.getInt();
    final KvLayout.KvType[] types = KvLayout.KvType.values();
    if (blockCount <= 0 || offset < 0 || type < 0 || type >= types.length) return null;
    if (layers <= 0 || heads <= 0 || headSize <= 0 || blockSize <= 0) return null;
    final KvLayout layout = new KvLayout(layers, heads, headSize, types[type], blockSize);
    return new PoolHandle(blockCount, process, offset, ipc, layout);
  }

  /** Why blocks of such a pool do not go into one of another layout; {@code null} when they may. */
  String obstacle(KvLayout target) {
    if (process == OWN_PROCESS) return "it is this process's own";
    return layout.equals(target) ? null : "its blocks are " + layout + ", here they are " + target;
  }

  /** Whether the blocks lie in the allocation that was opened. */
  boolean liesIn(Driver.Allocation allocation) {
    final long blocksMax = (allocation.bytes() - offset) / layout.blockBytes();
    return offset <= allocation.bytes() && blockCount <= blocksMax;
  }
}
