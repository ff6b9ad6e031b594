package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stator.kv.KvLayout;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BlocksTest {
  private static final int TOKENS = 16;
  private static final int POOL_BLOCKS = 7;
  private static final int[] LIST = {5, 0, 3};

  private final Random random = new Random(17);
  private final DeviceArrays device = new DeviceArrays(CudaTests.open());

  @AfterEach
  void release() {
    device.close();
  }

  private void copy(long pool, long buffer, int blockBytes, int gridX, boolean toPool) {
    final long list = device.ints(LIST);
    device.launch(
        "copy_blocks",
        gridX,
        LIST.length,
        256,
        0,
        params ->
            params
                .address(pool)
                .address(buffer)
                .address(list)
                .int32(blockBytes)
                .int32(toPool ? 1 : 0));
  }

  @ParameterizedTest
  @CsvSource({"16, 1", "4096, 1", "4112, 2", "12288, 4"})
  void shouldCopyBlocksOutAndIn(int blockBytes, int gridX) {
    final int size = blockBytes / 2;
    final short[] pool = Values.halves(random, POOL_BLOCKS * size);
    final short[] incoming = Values.halves(random, LIST.length * size);
    final long onDevice = device.halves(pool);
    final long buffer = device.room((long) LIST.length * blockBytes);
    copy(onDevice, buffer, blockBytes, gridX, false);
    final short[] gathered = device.readHalves(buffer, LIST.length * size);
    copy(onDevice, device.halves(incoming), blockBytes, gridX, true);
    for (int i = 0; i < LIST.length; i++) {
      final int at = LIST[i] * size;
      assertArrayEquals(
          Arrays.copyOfRange(pool, at, at + size),
          Arrays.copyOfRange(gathered, i * size, (i + 1) * size));
      System.arraycopy(incoming, i * size, pool, at, size);
    }
    assertArrayEquals(pool, device.readHalves(onDevice, pool.length));
  }

  private void transpose(long pool, long tokens, KvLayout layout, boolean toPool) {
    final long list = device.ints(LIST);
    device.launch(
        "transpose_blocks",
        layout.layerCount() * 2 * layout.keyValueHeadCount(),
        LIST.length,
        128,
        layout.headSize() * 36,
        params ->
            params
                .address(pool)
                .address(tokens)
                .address(list)
                .int32(layout.layerCount())
                .int32(layout.keyValueHeadCount())
                .int32(layout.headSize())
                .int32(toPool ? 1 : 0));
  }

  /** Index in the pool of what lies at an index of [block][layer][k | v][token][head][dim]. */
  private static int inPool(KvLayout layout, int index) {
    final int headSize = layout.headSize();
    final int heads = layout.keyValueHeadCount();
    final int dim = index % headSize;
    final int head = index / headSize % heads;
    final int token = index / headSize / heads % TOKENS;
    final int part = index / headSize / heads / TOKENS % (2 * layout.layerCount());
    final int block = LIST[index / headSize / heads / TOKENS / (2 * layout.layerCount())];
    final long start = block * layout.blockBytes();
    if (part % 2 == 0) {
      return (int) (start + layout.keyOffset(part / 2, head)) / 2 + dim * TOKENS + token;
    }
    return (int) (start + layout.valueOffset(part / 2, head)) / 2 + token * headSize + dim;
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 8", "2, 3, 64", "3, 2, 80", "1, 2, 128"})
  void shouldTransposeBlocksOutAndIn(int layers, int heads, int headSize) {
    final KvLayout layout = new KvLayout(layers, heads, headSize, KvLayout.KvType.BF16, TOKENS);
    final int size = (int) layout.blockBytes() / 2;
    final short[] pool = Values.halves(random, POOL_BLOCKS * size);
    final short[] incoming = Values.halves(random, LIST.length * size);
    final long onDevice = device.halves(pool);
    final long tokens = device.room(2L * LIST.length * size);
    transpose(onDevice, tokens, layout, false);
    final short[] read = device.readHalves(tokens, LIST.length * size);
    for (int i = 0; i < read.length; i++) assertEquals(pool[inPool(layout, i)], read[i], "at " + i);
    transpose(onDevice, device.halves(incoming), layout, true);
    for (int i = 0; i < incoming.length; i++) pool[inPool(layout, i)] = incoming[i];
    assertArrayEquals(pool, device.readHalves(onDevice, pool.length));
  }
}
