package dev.stator.device.cpu;

import dev.stator.model.LoadedModel;
import dev.stator.model.ModelWeights;
import dev.stator.model.WeightDecoder;
import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;

/** A model's matrices in another type, rounded to the nearest value of simply chosen scales. */
final class Requantized {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final WeightType type;

  private Requantized(WeightType type) {
    this.type = type;
  }

  /** The model with other matrices; closing either closes both. */
  static LoadedModel of(LoadedModel model, WeightType type) {
    final ModelWeights weights = new Requantized(type).weights(model.weights());
    return new LoadedModel(
        model.name(),
        model.source(),
        model.format(),
        model.config(),
        weights,
        model.weightBytes(),
        model.tokenizer(),
        model.chatTemplate(),
        model.defaults(),
        model.arena());
  }

  private ModelWeights weights(ModelWeights from) {
    final WeightMatrix embedding = matrix(from.tokenEmbedding());
    final boolean isTied = from.outputHead() == from.tokenEmbedding();
    return new ModelWeights(
        embedding,
        from.layers().stream().map(this::layer).toList(),
        from.outputNorm(),
        isTied ? embedding : matrix(from.outputHead()));
  }

  private ModelWeights.Layer layer(ModelWeights.Layer from) {
    return new ModelWeights.Layer(
        from.attentionNorm(),
        matrix(from.query()),
        matrix(from.key()),
        matrix(from.value()),
        matrix(from.attentionOutput()),
        from.queryBias(),
        from.keyBias(),
        from.valueBias(),
        from.queryNorm(),
        from.keyNorm(),
        from.feedForwardNorm(),
        matrix(from.gate()),
        matrix(from.up()),
        matrix(from.down()));
  }

  private WeightMatrix matrix(WeightMatrix from) {
    final float[] values = WeightDecoder.all(from);
    final byte[] blocks = new byte[(int) type.byteSize(values.length)];
    final MemorySegment data = MemorySegment.ofArray(blocks);
    final int length = type.blockLength();
    for (int b = 0; b < values.length / length; b++) {
      final float[] block = Arrays.copyOfRange(values, b * length, (b + 1) * length);
      quantize(block, data.asSlice((long) b * type.blockBytes(), type.blockBytes()));
    }
    return new WeightMatrix(from.name(), type, from.rowCount(), from.columnCount(), data);
  }

  private void quantize(float[] values, MemorySegment block) {
    switch (type) {
      case Q4_1 -> {
        final float[] range = putRange(values, 15, block);
        for (int i = 0; i < 32; i++) putNibble(block, 4, i, code(values[i], range, 15));
      }
      case Q5_1 -> {
        final float[] range = putRange(values, 31, block);
        for (int i = 0; i < 32; i++) putFiveBits(block, 4, i, code(values[i], range, 31));
      }
      case Q5_0 -> {
        final float scale = put(block, 0, absMax(values, 0, 32) / 15.5f);
        final float[] range = {scale, -16 * scale};
        for (int i = 0; i < 32; i++) putFiveBits(block, 2, i, code(values[i], range, 31));
      }
      case IQ4_NL -> {
        final float scale = put(block, 0, absMax(values, 0, 32) / 120);
        for (int i = 0; i < 32; i++) putNibble(block, 2, i, nearest(values[i] / scale));
      }
      case Q3_K -> quantizeQ3K(values, block);
      default -> throw new IllegalArgumentException("not to " + type);
    }
  }

  /** Bits of each value where the format's description has them, see {@link WeightDecoder}. */
  private static void quantizeQ3K(float[] values, MemorySegment block) {
    final float scale = put(block, 108, absMax(values, 0, 256) / 3.5f / 31);
    for (int g = 0; g < 16; g++) {
      final int step = Math.round(Math.min(31, absMax(values, 16 * g, 16) / 3.5f / scale));
      or(block, 96 + g % 8, (step + 32 & 0xF) << 4 * (g / 8));
      or(block, 104 + g % 4, (step + 32 >> 4) << 2 * (g / 4));
      final float[] range = {scale * step, -4 * scale * step};
      for (int i = 16 * g; i < 16 * g + 16; i++) {
        final int code = step == 0 ? 4 : code(values[i], range, 7);
        or(block, i % 32, (code >> 2) << i / 32);
        or(block, 32 + i / 128 * 32 + i % 32, (code & 3) << 2 * (i % 128 / 32));
      }
    }
  }

  /** Writes scale and minimum, and gives them back as they are stored. */
  private static float[] putRange(float[] values, int codeMax, MemorySegment block) {
    float least = values[0];
    float most = values[0];
    for (float value : values) {
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
    return new float[] {put(block, 0, (most - least) / codeMax), put(block, 2, least)};
  }

  private static int code(float value, float[] range, int codeMax) {
    if (range[0] == 0) return 0;
    return Math.clamp(Math.round((value - range[1]) / range[0]), 0, codeMax);
  }

  private static int nearest(float value) {
    int best = 0;
    for (int n = 1; n < 16; n++) {
      final float distance = Math.abs(WeightDecoder.nonLinear(n) - value);
      if (distance < Math.abs(WeightDecoder.nonLinear(best) - value)) best = n;
    }
    return best;
  }

  private static float absMax(float[] values, int from, int count) {
    float most = 0;
    for (int i = from; i < from + count; i++) most = Math.max(most, Math.abs(values[i]));
    return most;
  }

  private static float put(MemorySegment block, long offset, float value) {
    final short half = Float.floatToFloat16(value);
    block.set(SHORT, offset, half);
    return Float.float16ToFloat(half);
  }

  private static void putFiveBits(MemorySegment block, int offset, int i, int code) {
    or(block, offset + i / 8, (code >> 4) << i % 8);
    putNibble(block, offset + 4, i, code & 0xF);
  }

  private static void putNibble(MemorySegment block, int offset, int i, int code) {
    or(block, offset + i % 16, code << 4 * (i / 16));
  }

  private static void or(MemorySegment block, long offset, int bits) {
    final int all = block.get(ValueLayout.JAVA_BYTE, offset) | bits;
    block.set(ValueLayout.JAVA_BYTE, offset, (byte) all);
  }
}
