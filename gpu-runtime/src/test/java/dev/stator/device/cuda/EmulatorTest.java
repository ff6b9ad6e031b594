package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The emulator finds the mistakes that a GPU would hide, or punish: {@code host/check.cu}. */
class EmulatorTest {
  private static final int POISON = 0xCDCDCDCD;

  private final DeviceArrays device = new DeviceArrays(CudaTests.emulated());

  @AfterEach
  void release() {
    device.close();
  }

  private void launch(
      String name, int blocks, int threads, int sharedBytes, long from, long to, int count) {
    device.launch(
        name,
        blocks,
        1,
        threads,
        sharedBytes,
        params -> params.address(from).address(to).int32(count));
  }

  private String failure(String name, int threads, int count) {
    final long from = device.ints(new int[1024]);
    final long to = device.ints(new int[1024]);
    final CudaException e =
        assertThrows(CudaException.class, () -> launch(name, 1, threads, 1 << 10, from, to, count));
    return e.getMessage();
  }

  @Test
  void shouldSumBlocksWhenAllIsRight() {
    final int blocks = 50;
    final Random random = new Random(1);
    final float[] values = new float[64 * blocks];
    final float[] sums = new float[blocks];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextInt(1000);
      sums[i / 64] += values[i];
    }
    final long to = device.room(4L * values.length);
    launch("check_block_sum", blocks, 64, 0, device.floats(values), to, 0);
    final float[] read = device.readFloats(to, values.length);
    for (int i = 0; i < read.length; i++) assertEquals(sums[i / 64], read[i], "thread " + i);
  }

  @ParameterizedTest
  @ValueSource(ints = {32, 256, 1024})
  void shouldReverseBlocks(int threads) {
    final int blocks = 3;
    final int[] values = IntStream.range(0, blocks * threads).toArray();
    final long to = device.ints(new int[values.length]);
    launch("check_reverse", blocks, threads, 4 * threads, device.ints(values), to, 0);
    final int[] expected = new int[values.length];
    for (int i = 0; i < expected.length; i++) {
      expected[i] = i / threads * threads + threads - 1 - i % threads;
    }
    assertArrayEquals(expected, device.readInts(to, expected.length));
  }

  @Test
  void shouldCopyWhenWaitedFor() {
    final int[] read = copied("check_copy");
    for (int i = 0; i < read.length; i++) {
      assertEquals(i / 4 % 4 == 3 ? 0 : i + 1, read[i], "value " + i);
    }
  }

  @ParameterizedTest
  @CsvSource({"check_copy_without_wait, 0", "check_copy_with_one_wait, 4"})
  void shouldReadPoisonWhenACopyIsNotWaitedFor(String name, int firstPoisoned) {
    final int[] read = copied(name);
    assertEquals(POISON, read[firstPoisoned]);
    if (firstPoisoned > 0) assertEquals(1, read[0]);
  }

  private int[] copied(String name) {
    final int threads = 128;
    final long from = device.ints(IntStream.rangeClosed(1, 8 * threads).toArray());
    final long to = device.ints(new int[8 * threads]);
    launch(name, 1, threads, 32 * threads, from, to, 0);
    return device.readInts(to, 8 * threads);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "check_return_before_barrier | 64  | 40 | thread 40: comes to the kernel's end while others"
            + " of its warp wait at __syncthreads",
        "check_return_before_barrier | 64  | 32 | comes to the kernel's end while others of its"
            + " block wait at __syncthreads",
        "check_two_barriers          | 64  | 5  | thread 5: comes to __syncthreads of line",
        "check_two_barriers          | 128 | 64 | thread 95: comes to __syncthreads of line",
        "check_shuffle_at_barrier    | 32  | 7  | thread 7: comes to warp_sync of line",
        "check_reverse_without_barrier | 64 | 0 | of shared memory, which thread 31 reads, with no"
            + " barrier in between",
        "check_neighbour_without_barrier | 32 | 1 | thread 1: writes byte 4 of shared memory, which"
            + " thread",
        "check_neighbour_without_barrier | 32 | -1 | thread 1: reads byte 0 of shared memory, which"
            + " thread 0 writes",
        "check_reuse_without_barrier | 64 | 0 | with no barrier in between",
        "check_sums_of_two_warps     | 64 | 0 | thread 32: writes a __shared__ array where thread 0"
            + " writes",
        "check_group                 | 128 | 32 | of shared memory, which thread",
        "check_group_alone           | 128 | 64 | of shared memory, which thread",
        "check_group_without_warp    | 128 | 0 | waits at group_barrier of line",
        "check_group_without_warp    | 128 | 3 | waits at __syncthreads of line",
        "check_group_return          | 128 | 0 | thread 127: waits at group_barrier of line",
        "check_group_return          | 128 | 3 | thread 127: returns while all that are left wait",
        "check_copy_in_use           | 32 | 0 | byte 496 of shared memory, which" + " thread",
        "check_wild_read             | 32  | 1024 | reads 4 bytes at",
        "check_wild_read             | 32  | -1 | reads 4 bytes at",
        "check_wild_write            | 32  | 1024 | writes 4 bytes at",
        "check_copy_left_behind      | 32  | 0  | thread 0: returns with asynchronous copies",
        "check_copy_elsewhere        | 32  | 0  | which is not the block's shared memory",
        "check_misaligned            | 32  | 4  | which is not aligned to 16",
        "check_beyond_shared         | 32  | 225  | writes byte 1024 of its 1024 bytes of shared"
            + " memory",
        "check_beyond_shared         | 32  | -1 | writes byte -4 of its 1024 bytes of shared"
            + " memory",
        "check_beyond_array          | 32  | 4  | uses index 4 beyond its array",
        "check_nothing               | 32  | 0  | the module has no kernel check_nothing",
        "check_misaligned            | 64  | 0  | 64 threads a block, expected a multiple of 32 up"
            + " to 32",
        "check_two_barriers          | 40  | 0  | 40 threads a block, expected a multiple of 32 up"
            + " to 256",
      })
  void shouldSayWhatIsWrong(String name, int threads, int count, String expected) {
    final String message = failure(name, threads, count);
    assertTrue(message.contains(expected), message);
    assertTrue(message.contains("kernel " + name), message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"check_neighbour", "check_reuse", "check_broadcast", "check_group"})
  void shouldHaveNothingAgainstABarrier(String name) {
    final Map<String, Integer> threads = Map.of("check_neighbour", 32, "check_group", 128);
    final long from = device.ints(IntStream.range(0, 128).toArray());
    final long to = device.ints(new int[128]);
    final int count = name.equals("check_group") ? 0 : 1;
    launch(name, 1, threads.getOrDefault(name, 64), 1 << 10, from, to, count);
    final int[] read = device.readInts(to, 128);
    assertTrue(Arrays.stream(read).anyMatch(value -> value != 0), Arrays.toString(read));
  }

  @Test
  void shouldRunEverySecondBlockBackwards() {
    final long to = device.ints(new int[3 * 33]);
    launch("check_turns", 3, 32, 0, to, to, 0);
    final int[] read = device.readInts(to, 3 * 32);
    for (int i = 0; i < read.length; i++) {
      assertEquals(i / 32 == 1 ? 31 - i % 32 : i % 32, read[i], "thread " + i);
    }
  }

  @Test
  void shouldGoOnAfterAFailure() {
    failure("check_two_barriers", 64, 5);
    shouldReverseBlocks(256);
  }

  @Test
  void shouldRefuseAStructOfAnotherSize() {
    final CudaException e =
        assertThrows(
            CudaException.class,
            () -> device.launch("check_copy", 1, 1, 32, 0, params -> params.address(0).address(0)));
    assertEquals("kernel check_copy: its parameter has 24 bytes, not 16", e.getMessage());
  }

  @Test
  void shouldMultiplyMatricesAsTheInstructionDoes() {
    final Random random = new Random(2);
    final float[] a = new float[16 * 16];
    final float[] b = new float[8 * 16];
    final short[] from = new short[a.length + b.length];
    for (int i = 0; i < from.length; i++) {
      from[i] = (short) (Float.floatToRawIntBits((float) random.nextGaussian()) >>> 16);
      (i < a.length ? a : b)[i % a.length] = Float.intBitsToFloat(from[i] << 16);
    }
    final long to = device.room(4 * 16 * 8);
    launch("check_product", 1, 32, 768, device.halves(from), to, 0);
    final float[] read = device.readFloats(to, 16 * 8);
    for (int row = 0; row < 16; row++) {
      for (int column = 0; column < 8; column++) {
        double sum = 0;
        for (int k = 0; k < 16; k++) sum += (double) a[row * 16 + k] * b[column * 16 + k];
        assertEquals((float) sum, read[row * 8 + column], "row " + row);
      }
    }
  }

  @Test
  void shouldLoadMatricesTransposed() {
    final short[] from = new short[256];
    for (int i = 0; i < from.length; i++) from[i] = (short) i;
    final long to = device.room(4 * 128);
    launch("check_transposed", 1, 32, 512, device.halves(from), to, 0);
    final int[] read = device.readInts(to, 128);
    for (int lane = 0; lane < 32; lane++) {
      for (int matrix = 0; matrix < 4; matrix++) {
        final int low = matrix * 64 + lane % 4 * 2 * 8 + lane / 4;
        assertEquals(low + 8 << 16 | low, read[lane * 4 + matrix], "lane " + lane);
      }
    }
  }
}
