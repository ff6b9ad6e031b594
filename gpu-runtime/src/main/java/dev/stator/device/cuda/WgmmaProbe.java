package dev.stator.device.cuda;

import dev.stator.model.WeightType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

/**
 * Asks a device of compute capability 9.0 whether its two matrix instructions, {@code mma} of a
 * warp and {@code wgmma} of a warpgroup, give the same bits: how either rounds is not published.
 * One matrix is multiplied by both kernels of prefill, and the results are compared.
 *
 * <p><b>Threads:</b> the driver's.
 */
final class WgmmaProbe {
  private static final int CAPABILITY = 90;

  /** Tiles of both kernels that are not full, and two ranges of columns. */
  private static final int ROWS = 120;

  private static final int COLUMNS = 512;
  private static final int TOKENS = 250;

  /** Exponents of weights: up to so far from 1. */
  private static final int WEIGHT_EXPONENTS = 10;

  /** The same of inputs, token by token in turn; what is far apart is rounded most. */
  private static final int[] INPUT_EXPONENTS = {0, 3, 12, 40};

  /** Half of the tokens' inputs are that much smaller: some of them are denormal, and some sums. */
  private static final int TINY_EXPONENT = -120;

  private static final long SEED = 0x5741524D;

  private WgmmaProbe() {}

  /** Whether there are kernels with that instruction. */
  static boolean hasWgmma(Driver driver) {
    return driver.computeCapability() == CAPABILITY;
  }

  /** Waits for the device; takes some milliseconds and a few megabytes of its memory. */
  static boolean givesTheSameBits(Driver driver, Kernels kernels) {
    final DeviceMemory memory = new DeviceMemory(driver);
    try (memory;
        Arena arena = Arena.ofConfined()) {
      return isSame(kernels, memory, arena);
    }
  }

  private static boolean isSame(Kernels kernels, DeviceMemory memory, Arena arena) {
    final Driver.Stream stream = kernels.stream();
    final var random = new SplittableRandom(SEED);
    final long weightBytes = MatmulShape.repackedBytes(WeightType.BF16, ROWS, COLUMNS);
    final MemorySegment weights = arena.allocate(weightBytes, Long.BYTES);
    fill(weights, random, 0, WEIGHT_EXPONENTS);
    final long inputBytes = (long) COLUMNS * Short.BYTES;
    final MemorySegment inputs = arena.allocate(TOKENS * inputBytes, Long.BYTES);
    for (int token = 0; token < TOKENS; token++) {
      final int centre = token / INPUT_EXPONENTS.length % 2 == 0 ? 0 : TINY_EXPONENT;
      final int apart = INPUT_EXPONENTS[token % INPUT_EXPONENTS.length];
      fill(inputs.asSlice(token * inputBytes, inputBytes), random, centre, apart);
    }
    final long x = copy(stream, memory, inputs);
    final CudaMatrix matrix =
        new CudaMatrix(copy(stream, memory, weights), WeightType.BF16, ROWS, COLUMNS);
    final long packed = memory.take("packed", MatmulShape.packedBytes(COLUMNS, TOKENS));
    kernels.pack(x, packed, COLUMNS, TOKENS);
    final var mma = MatmulShape.prefill(WeightType.BF16, ROWS, COLUMNS, TOKENS);
    final var wgmma = MatmulShape.wgmma(WeightType.BF16, ROWS, COLUMNS, TOKENS);
    final MemorySegment expected = product(kernels, memory, mma, matrix, x, arena);
    final MemorySegment actual = product(kernels, memory, wgmma, matrix, packed, arena);
    stream.synchronize();
    return expected.mismatch(actual) < 0;
  }

  /** bf16 of random signs and mantissas, as weights in any order are. */
  private static void fill(MemorySegment to, SplittableRandom random, int centre, int apart) {
    for (long at = 0; at < to.byteSize(); at += Short.BYTES) {
      final int exponent = Math.max(0, 127 + centre + random.nextInt(-apart, apart + 1));
      final int bits = random.nextInt(2) << 15 | exponent << 7 | random.nextInt(128);
      to.set(ValueLayout.JAVA_SHORT, at, (short) bits);
    }
  }

  private static long copy(Driver.Stream stream, DeviceMemory memory, MemorySegment from) {
    final long to = memory.take("values", from.byteSize());
    stream.copyToDevice(to, from);
    return to;
  }

  private static MemorySegment product(
      Kernels kernels,
      DeviceMemory memory,
      MatmulShape shape,
      CudaMatrix matrix,
      long x,
      Arena arena) {
    final MemorySegment results = arena.allocate((long) TOKENS * ROWS * Float.BYTES, Long.BYTES);
    final long out = memory.take("results", results.byteSize());
    kernels.stream().fill(out, (byte) 0xFF, results.byteSize());
    kernels.product(shape, matrix, x, 0, out, ROWS, TOKENS, false);
    kernels.stream().copyToHost(results, out);
    return results;
  }
}
