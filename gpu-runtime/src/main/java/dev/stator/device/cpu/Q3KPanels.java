package dev.stator.device.cpu;

import dev.stator.model.WeightDecoder;
import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Q3_K and Q2_K weights. For each super-block of 256 inputs:
 *
 * <pre>
 *   Q3_K: | 16 f16 scales | 16 groups |                                  3.6 bits a value, 3.4 in the file
 *         group := 16 signed scale bytes | 16 words, a row each | 16 shorts, a row each
 *
 *   Q2_K: | 16 f16 scales | 16 f16 minimums | 16 groups |                3.1 bits a value, 2.6 in the file
 *         group := 16 scale bytes | 16 minimum bytes | 16 words, a row each
 *
 *   word := input i's low two bits in bits 2i and 2i + 1;  short := input i's third bit in bit i
 * </pre>
 *
 * For Q2_K the kernels read other bytes in the shorts' stead and mask them.
 *
 * <p>value = (scale * groupScale) * (bits - offset) - (minimum * groupMinimum): all products are
 * exact in float32, so that one fused multiply-add is the format's product and difference. For
 * Q3_K, minus zero is added, which changes no product, not even a zero's sign.
 */
final class Q3KPanels extends PanelMatrix {
  private static final int SUPER = 256;
  private static final int GROUP = 16;
  private static final int SUPER_GROUPS = SUPER / GROUP;
  private static final int HALVES_BYTES = PANEL_ROWS * Short.BYTES;
  private static final int WORD_BYTES = PANEL_ROWS * Integer.BYTES;
  private static final int MINIMUMS = HALVES_BYTES;
  private static final int GROUP_MINIMUMS = PANEL_ROWS;
  private static final int Q2_QUANTS = 2 * PANEL_ROWS;
  private static final int Q3_QUANTS = PANEL_ROWS;
  private static final KQuants Q2_LAYOUT = layout(2 * HALVES_BYTES, Q2_QUANTS + WORD_BYTES);
  private static final KQuants Q3_LAYOUT =
      layout(HALVES_BYTES, Q3_QUANTS + WORD_BYTES + HALVES_BYTES);
  private static final int LOW = 3;
  private static final int THIRD = 4;
  private static final int ONES = Float.floatToRawIntBits(0x1p23f);
  private static final long TWO_BITS = 0x0303030303030303L;
  private static final long ONE_BIT = 0x0101010101010101L;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ORDER);
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ORDER);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ORDER);

  private final boolean isQ3;
  private final KQuants layout;
  private final int superBytes;
  private final int groupsOffset;
  private final int groupBytes;
  private final int quants;
  private final int thirds;
  private final int thirdMask;
  private final float base;

  Q3KPanels(WeightMatrix source, KernelChoice choice) {
    super(
        source,
        layout(source).panelBytes(source.columnCount()),
        layout(source).superBytes(),
        choice);
    isQ3 = source.type() == WeightType.Q3_K;
    layout = layout(source);
    superBytes = layout.superBytes();
    groupsOffset = layout.groupsOffset();
    groupBytes = layout.groupBytes();
    quants = isQ3 ? Q3_QUANTS : Q2_QUANTS;
    thirds = isQ3 ? quants + WORD_BYTES : quants;
    thirdMask = isQ3 ? -1 : 0;
    base = isQ3 ? 0x1p23f + 4 : 0x1p23f;
  }

  private static KQuants layout(WeightMatrix source) {
    return source.type() == WeightType.Q3_K ? Q3_LAYOUT : Q2_LAYOUT;
  }

  private static KQuants layout(int groupsOffset, int groupBytes) {
    final int superBytes = groupsOffset + SUPER_GROUPS * groupBytes;
    return new KQuants(SUPER, superBytes, GROUP, groupBytes, groupsOffset);
  }

  @Override
  void pack(int panel) {
    final int rows = rowsOf(panel);
    final int blockBytes = source.type().blockBytes();
    for (int r = 0; r < rows; r++) {
      final MemorySegment in = source.row(panel * PANEL_ROWS + r);
      for (int b = 0; b < columns / SUPER; b++) {
        final long from = (long) b * blockBytes;
        final long to = panel * panelBytes + (long) b * superBytes;
        if (isQ3) packQ3(in, from, to, panel, r);
        else packQ2(in, from, to, panel, r);
      }
    }
  }

  private void packQ3(MemorySegment in, long from, long to, int panel, int r) {
    KQuants.copyHalf(this, in, from + 108, to + 2 * r, panel, r);
    for (int g = 0; g < SUPER_GROUPS; g++) {
      final long group = to + groupsOffset + g * groupBytes;
      final byte scale = (byte) WeightDecoder.signedGroupScale(in, from + 96, g);
      data().set(ValueLayout.JAVA_BYTE, group + r, scale);
      packWord(in, from + 32, g, group + quants + 4 * r);
      final long bits = from + g % 2 * GROUP;
      final long mask = ONE_BIT << g / 2;
      final long first = Long.compress(in.get(LONG, bits), mask);
      final long second = Long.compress(in.get(LONG, bits + 8), mask);
      data().set(SHORT, group + thirds + 2 * r, (short) (first | second << 8));
    }
  }

  private void packQ2(MemorySegment in, long from, long to, int panel, int r) {
    KQuants.copyHalf(this, in, from + 80, to + 2 * r, panel, r);
    KQuants.copyHalf(this, in, from + 82, to + MINIMUMS + 2 * r, panel, r);
    for (int g = 0; g < SUPER_GROUPS; g++) {
      final long group = to + groupsOffset + g * groupBytes;
      final int both = in.get(ValueLayout.JAVA_BYTE, from + g);
      data().set(ValueLayout.JAVA_BYTE, group + r, (byte) (both & 0xF));
      data().set(ValueLayout.JAVA_BYTE, group + GROUP_MINIMUMS + r, (byte) (both >> 4 & 0xF));
      packWord(in, from + 16, g, group + quants + 4 * r);
    }
  }

  /** Each 32 bytes hold eight groups, groups 2q and 2q + 1 in bits 2q and 2q + 1 of each byte. */
  private void packWord(MemorySegment in, long from, int g, long to) {
    final long bytes = from + g / 8 * 32 + g % 2 * GROUP;
    final long mask = TWO_BITS << g % 8 / 2 * 2;
    final long first = Long.compress(in.get(LONG, bytes), mask);
    final long second = Long.compress(in.get(LONG, bytes + 8), mask);
    data().set(INT, to, (int) (first | second << 16));
  }

  @Override
  boolean isSlow() {
    return true;
  }

  /** As {@link KQuants#groupOffset}, without a division. */
  private long groupOffset(int g) {
    return (long) (g / SUPER_GROUPS) * superBytes + groupsOffset + g % SUPER_GROUPS * groupBytes;
  }

  @Override
  void unpack(int panel, int k, int kEnd, float[] to, int toOffset, Scratch scratch) {
    prepareScales(panel, panel + 1, k / GROUP, kEnd / GROUP, scratch);
    final MemorySegment w = data();
    for (int row = 0; row < PANEL_ROWS; row += Lanes.COUNT) {
      for (int at = k; at < kEnd; at += GROUP) {
        final long group = panel * panelBytes + groupOffset(at / GROUP);
        final int scaleAt = (at - k) / GROUP * PANEL_ROWS + row;
        final FloatVector scale = FloatVector.fromArray(Lanes.FLOATS, scratch.scales, scaleAt);
        final FloatVector minimum = FloatVector.fromArray(Lanes.FLOATS, scratch.minimums, scaleAt);
        final long words = group + quants + 4 * row;
        final long bits = group + thirds + 2 * row;
        IntVector v = IntVector.fromMemorySegment(Lanes.INTS, w, words, ORDER);
        IntVector h =
            ((IntVector)
                    ShortVector.fromMemorySegment(Lanes.SHORTS, w, bits, ORDER)
                        .convertShape(VectorOperators.S2I, Lanes.INTS, 0))
                .lanewise(VectorOperators.LSHL, 2)
                .and(thirdMask);
        final int put = toOffset + row + (at - k) * PANEL_ROWS;
        for (int n = 0; n < GROUP; n++) {
          final IntVector q = v.and(LOW).or(h.and(THIRD)).or(ONES);
          q.reinterpretAsFloats().sub(base).fma(scale, minimum).intoArray(to, put + n * PANEL_ROWS);
          v = v.lanewise(VectorOperators.LSHR, 2);
          h = h.lanewise(VectorOperators.LSHR, 1);
        }
      }
    }
  }

  @Override
  void multiplyOne(
      int panel,
      int panelEnd,
      int k,
      int kEnd,
      float[] x,
      int xOffset,
      float[] out,
      int outOffset,
      Scratch scratch) {
    prepareScales(panel, panelEnd, k / GROUP, kEnd / GROUP, scratch);
    final MemorySegment w = data();
    final float[] scales = scratch.scales;
    final float[] minimums = scratch.minimums;
    final int groups = (kEnd - k) / GROUP;
    final int mask = thirdMask;
    final float base = this.base;
    final long w0 = streamOffset(panel, panelEnd, 0);
    final long w1 = streamOffset(panel, panelEnd, 1);
    final long w2 = streamOffset(panel, panelEnd, 2);
    final long w3 = streamOffset(panel, panelEnd, 3);
    final int t0 = KQuants.streamScales(panel, panelEnd, 0, groups);
    final int t1 = KQuants.streamScales(panel, panelEnd, 1, groups);
    final int t2 = KQuants.streamScales(panel, panelEnd, 2, groups);
    final int t3 = KQuants.streamScales(panel, panelEnd, 3, groups);
    final int o0 = outOffset + outOffset(panel, panelEnd, 0);
    final int o1 = outOffset + outOffset(panel, panelEnd, 1);
    final int o2 = outOffset + outOffset(panel, panelEnd, 2);
    final int o3 = outOffset + outOffset(panel, panelEnd, 3);
    FloatVector a0 = FloatVector.fromArray(Lanes.FLOATS, out, o0);
    FloatVector a1 = FloatVector.fromArray(Lanes.FLOATS, out, o1);
    FloatVector a2 = FloatVector.fromArray(Lanes.FLOATS, out, o2);
    FloatVector a3 = FloatVector.fromArray(Lanes.FLOATS, out, o3);
    for (int g = 0; g < groups; g++) {
      final long group = groupOffset(k / GROUP + g);
      final int xg = xOffset + k + g * GROUP;
      final int at = g * PANEL_ROWS;
      final FloatVector s0 = FloatVector.fromArray(Lanes.FLOATS, scales, t0 + at);
      final FloatVector s1 = FloatVector.fromArray(Lanes.FLOATS, scales, t1 + at);
      final FloatVector s2 = FloatVector.fromArray(Lanes.FLOATS, scales, t2 + at);
      final FloatVector s3 = FloatVector.fromArray(Lanes.FLOATS, scales, t3 + at);
      final FloatVector m0 = FloatVector.fromArray(Lanes.FLOATS, minimums, t0 + at);
      final FloatVector m1 = FloatVector.fromArray(Lanes.FLOATS, minimums, t1 + at);
      final FloatVector m2 = FloatVector.fromArray(Lanes.FLOATS, minimums, t2 + at);
      final FloatVector m3 = FloatVector.fromArray(Lanes.FLOATS, minimums, t3 + at);
      final long q = group + quants;
      final long b = group + thirds;
      IntVector v0 = IntVector.fromMemorySegment(Lanes.INTS, w, w0 + q + 4 * ROW0, ORDER);
      IntVector v1 = IntVector.fromMemorySegment(Lanes.INTS, w, w1 + q + 4 * ROW1, ORDER);
      IntVector v2 = IntVector.fromMemorySegment(Lanes.INTS, w, w2 + q + 4 * ROW2, ORDER);
      IntVector v3 = IntVector.fromMemorySegment(Lanes.INTS, w, w3 + q + 4 * ROW3, ORDER);
      final ShortVector b0 =
          ShortVector.fromMemorySegment(Lanes.SHORTS, w, w0 + b + 2 * ROW0, ORDER);
      final ShortVector b1 =
          ShortVector.fromMemorySegment(Lanes.SHORTS, w, w1 + b + 2 * ROW1, ORDER);
      final ShortVector b2 =
          ShortVector.fromMemorySegment(Lanes.SHORTS, w, w2 + b + 2 * ROW2, ORDER);
      final ShortVector b3 =
          ShortVector.fromMemorySegment(Lanes.SHORTS, w, w3 + b + 2 * ROW3, ORDER);
      IntVector h0 =
          ((IntVector) b0.convertShape(VectorOperators.S2I, Lanes.INTS, 0))
              .lanewise(VectorOperators.LSHL, 2)
              .and(mask);
      IntVector h1 =
          ((IntVector) b1.convertShape(VectorOperators.S2I, Lanes.INTS, 0))
              .lanewise(VectorOperators.LSHL, 2)
              .and(mask);
      IntVector h2 =
          ((IntVector) b2.convertShape(VectorOperators.S2I, Lanes.INTS, 0))
              .lanewise(VectorOperators.LSHL, 2)
              .and(mask);
      IntVector h3 =
          ((IntVector) b3.convertShape(VectorOperators.S2I, Lanes.INTS, 0))
              .lanewise(VectorOperators.LSHL, 2)
              .and(mask);
      for (int i = 0; i < GROUP; i++) {
        final FloatVector xi = FloatVector.broadcast(Lanes.FLOATS, x[xg + i]);
        final IntVector q0 = v0.and(LOW).or(h0.and(THIRD)).or(ONES);
        final IntVector q1 = v1.and(LOW).or(h1.and(THIRD)).or(ONES);
        final IntVector q2 = v2.and(LOW).or(h2.and(THIRD)).or(ONES);
        final IntVector q3 = v3.and(LOW).or(h3.and(THIRD)).or(ONES);
        a0 = q0.reinterpretAsFloats().sub(base).fma(s0, m0).fma(xi, a0);
        a1 = q1.reinterpretAsFloats().sub(base).fma(s1, m1).fma(xi, a1);
        a2 = q2.reinterpretAsFloats().sub(base).fma(s2, m2).fma(xi, a2);
        a3 = q3.reinterpretAsFloats().sub(base).fma(s3, m3).fma(xi, a3);
        v0 = v0.lanewise(VectorOperators.LSHR, 2);
        v1 = v1.lanewise(VectorOperators.LSHR, 2);
        v2 = v2.lanewise(VectorOperators.LSHR, 2);
        v3 = v3.lanewise(VectorOperators.LSHR, 2);
        h0 = h0.lanewise(VectorOperators.LSHR, 1);
        h1 = h1.lanewise(VectorOperators.LSHR, 1);
        h2 = h2.lanewise(VectorOperators.LSHR, 1);
        h3 = h3.lanewise(VectorOperators.LSHR, 1);
      }
    }
    a0.intoArray(out, o0);
    a1.intoArray(out, o1);
    a2.intoArray(out, o2);
    a3.intoArray(out, o3);
  }

  private void prepareScales(int panel, int panelEnd, int g, int gEnd, Scratch scratch) {
    final int count = (gEnd - g) * PANEL_ROWS;
    for (int p = panel; p < Math.min(panelEnd, panel + GROUP_PANELS); p++) {
      final int to = (p - panel) * count;
      layout.scales(data(), p * panelBytes, g, gEnd, 0, 0, 1, scratch.scales, to);
      if (isQ3) {
        Arrays.fill(scratch.minimums, to, to + count, -0f);
      } else {
        layout.scales(
            data(), p * panelBytes, g, gEnd, MINIMUMS, GROUP_MINIMUMS, -1, scratch.minimums, to);
      }
    }
  }
}
