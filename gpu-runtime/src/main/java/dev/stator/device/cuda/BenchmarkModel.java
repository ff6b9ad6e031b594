package dev.stator.device.cuda;

import dev.stator.model.GenerationDefaults;
import dev.stator.model.LoadedModel;
import dev.stator.model.ModelConfig;
import dev.stator.model.ModelWeights;
import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightScales;
import dev.stator.model.WeightType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.LongStream;

/**
 * A dense model of random weights of one type, to be measured: values that no kernel can skip, and
 * logits that are finite. On the host all layers are the same memory; the device has each its own.
 */
final class BenchmarkModel {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
  private static final long PIECE_BYTES = 1 << 20;

  /** Signs and mantissas of two bytes stay random, exponents become {@code 2^-6}. */
  private static final long BF16_KEPT = 0x807F_807F_807F_807FL;

  private static final long BF16_SET = 0x3C80_3C80_3C80_3C80L;

  /** The same of single bytes, of exponents of 4 bits. */
  private static final long FP8_KEPT = 0x8787_8787_8787_8787L;

  private static final long FP8_SET = 0x0808_0808_0808_0808L;
  private static final short HALF_SMALL = 0x0C00; // 2^-12
  private static final float NORM = 1;

  private final Arena arena;
  private final WeightType type;
  private long seed;

  private BenchmarkModel(Arena arena, WeightType type) {
    this.arena = arena;
    this.type = type;
  }

  /**
   * @param type BF16, Q8_0, Q4_K, Q6_K or F8_E4M3
   * @throws IllegalArgumentException for another type
   */
  static LoadedModel of(ModelConfig config, WeightType type) {
    final Arena arena = Arena.ofShared();
    final ModelWeights weights = new BenchmarkModel(arena, type).weights(config);
    final var defaults =
        new GenerationDefaults(
            Set.of(), OptionalDouble.empty(), OptionalDouble.empty(), OptionalInt.empty());
    return new LoadedModel(
        "random", "random", "random", config, weights, 0, null, null, defaults, arena);
  }

  private ModelWeights weights(ModelConfig c) {
    final WeightMatrix embedding = matrix(c.vocabularySize(), c.hiddenSize());
    final int hidden = c.hiddenSize();
    final var layer =
        new ModelWeights.Layer(
            norm(hidden),
            matrix(c.querySize(), hidden),
            matrix(c.keyValueSize(), hidden),
            matrix(c.keyValueSize(), hidden),
            matrix(hidden, c.querySize()),
            null,
            null,
            null,
            null,
            null,
            norm(hidden),
            matrix(c.intermediateSize(), hidden),
            matrix(c.intermediateSize(), hidden),
            matrix(hidden, c.intermediateSize()));
    return new ModelWeights(
        embedding, Collections.nCopies(c.layerCount(), layer), norm(hidden), embedding);
  }

  private WeightMatrix norm(int length) {
    final MemorySegment data = arena.allocate((long) length * Float.BYTES, Float.BYTES);
    for (int i = 0; i < length; i++) data.setAtIndex(ValueLayout.JAVA_FLOAT, i, NORM);
    return new WeightMatrix("norm", WeightType.F32, 1, length, data);
  }

  private WeightMatrix matrix(int rows, int columns) {
    final long bytes = rows * type.byteSize(columns);
    final MemorySegment data = arena.allocate(bytes, Long.BYTES);
    final long first = seed;
    seed += bytes;
    LongStream.range(0, Math.ceilDiv(bytes, PIECE_BYTES))
        .parallel()
        .forEach(piece -> {
          final long from = piece * PIECE_BYTES;
          final long count = Math.min(PIECE_BYTES, bytes - from);
          fill(data.asSlice(from, count), new SplittableRandom(first + piece));
        });
    setScales(data);
    final WeightScales scales = type == WeightType.F8_E4M3 ? WeightScales.ofTensor(1) : null;
    return new WeightMatrix("random", type, rows, columns, scales, data);
  }

  private void fill(MemorySegment piece, SplittableRandom random) {
    final boolean isFp8 = type == WeightType.F8_E4M3;
    final boolean isFloat = isFp8 || type == WeightType.BF16;
    final long kept = isFp8 ? FP8_KEPT : BF16_KEPT;
    final long set = isFp8 ? FP8_SET : BF16_SET;
    for (long at = 0; at + Long.BYTES <= piece.byteSize(); at += Long.BYTES) {
      final long bits = random.nextLong();
      piece.set(LONG, at, isFloat ? bits & kept | set : bits);
    }
  }

  private void setScales(MemorySegment data) {
    final int step = type.blockBytes();
    final int[] offsets =
        switch (type) {
          case BF16, F8_E4M3 -> new int[0];
          case Q8_0 -> new int[] {0};
          case Q4_K -> new int[] {0, Short.BYTES};
          case Q6_K -> new int[] {step - Short.BYTES};
          default -> throw new IllegalArgumentException("no benchmark of " + type);
        };
    for (int offset : offsets) {
      for (long at = offset; at < data.byteSize(); at += step) data.set(SHORT, at, HALF_SMALL);
    }
  }
}
