package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.kv.KvLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Bytes from who knows whom. */
class PoolHandleTest {
  private static final KvLayout LAYOUT = new KvLayout(2, 3, 64, KvLayout.KvType.BF16, 16);
  private static final byte[] IPC = new byte[Driver.IPC_HANDLE_BYTES];

  static {
    new Random(1).nextBytes(IPC);
  }

  private static PoolHandle handle(int blocks, long offset) {
    return new PoolHandle(blocks, 7, offset, IPC, LAYOUT);
  }

  @Test
  void shouldBeWhatItWasAndAtMostWhatTravels() {
    final byte[] bytes = handle(5, 1L << 40).encode();
    assertEquals(PoolHandle.LENGTH, bytes.length);
    assertTrue(bytes.length <= 256);
    final PoolHandle decoded = PoolHandle.decode(bytes);
    assertArrayEquals(IPC, decoded.ipc());
    assertArrayEquals(bytes, decoded.encode());
    assertEquals(LAYOUT, decoded.layout());
    assertEquals(5, decoded.blockCount());
    assertEquals(1L << 40, decoded.offset());
    assertNull(decoded.obstacle(LAYOUT));
  }

  @Test
  void shouldRefuseOtherLayoutsAndItsOwnProcess() {
    final KvLayout other = new KvLayout(2, 3, 64, KvLayout.KvType.F32, 16);
    assertNotNull(handle(5, 0).obstacle(other));
    assertNotNull(PoolHandle.own(5, 0, IPC, LAYOUT).obstacle(LAYOUT));
  }

  @Test
  void shouldKnowWhetherItsBlocksLieInTheAllocation() {
    final long bytes = 8 * LAYOUT.blockBytes();
    final var allocation = new Driver.Allocation(4096, bytes);
    assertTrue(handle(8, 0).liesIn(allocation));
    assertTrue(handle(7, LAYOUT.blockBytes()).liesIn(allocation));
    assertFalse(handle(8, 1).liesIn(allocation));
    assertFalse(handle(1, bytes).liesIn(allocation));
    assertFalse(handle(1, bytes + 1).liesIn(allocation));
    assertFalse(handle(1, Long.MAX_VALUE).liesIn(allocation));
    assertFalse(handle(Integer.MAX_VALUE, 0).liesIn(allocation));
  }

  @Test
  void shouldDecodeNothingThatMakesNoSense() {
    final byte[] right = handle(5, 0).encode();
    for (int length : new int[] {0, 1, PoolHandle.LENGTH - 1, PoolHandle.LENGTH + 1, 256}) {
      assertNull(PoolHandle.decode(Arrays.copyOf(right, length)));
    }
    assertNull(PoolHandle.decode(changed(right, 0, PoolHandle.VERSION + 1)));
    for (int at : new int[] {4, 20, 88, 92, 96, 100, 104}) {
      assertNull(PoolHandle.decode(changed(right, at, -1)), "at " + at);
    }
    assertNull(PoolHandle.decode(changed(right, 4, 0)));
    assertNull(PoolHandle.decode(changed(right, 100, KvLayout.KvType.values().length)));
  }

  private static byte[] changed(byte[] bytes, int at, int value) {
    final byte[] changed = bytes.clone();
    ByteBuffer.wrap(changed).order(ByteOrder.LITTLE_ENDIAN).putInt(at, value);
    return changed;
  }
}
