package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.model.FeedForwardVariant;
import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightType;
import dev.stator.testing.RandomWeights;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What mixtures of experts take beside dense layers, kernel by kernel. */
class ExpertsTest {
  private static final double SHARE_ERROR = 1e-6;

  private final DeviceArrays device = new DeviceArrays(CudaTests.open());
  private final Driver.Stream stream = device.driver().newStream();
  private final Kernels kernels = new Kernels(device.driver(), stream);

  @AfterEach
  void release() {
    device.close();
  }

  private static FeedForwardVariant.Experts shape(int count, int used, boolean renormalises) {
    return new FeedForwardVariant.Experts(count, used, 32, renormalises, 0);
  }

  @ParameterizedTest
  @CsvSource({
    "8, 2, true, 5",
    "128, 8, true, 9",
    "60, 4, false, 6",
    "512, 10, false, 2",
    "1, 1, true, 1"
  })
  void shouldRouteToTheLargestLogitsWithTheirShares(
      int count, int used, boolean renormalises, int tokens) {
    final Random random = new Random(count);
    final float[] logits = new float[tokens * count];
    // Few values, so that many are equal.
    for (int i = 0; i < logits.length; i++) logits[i] = random.nextInt(12) / 4f;
    final Routed routed = route(shape(count, used, renormalises), logits, tokens);
    for (int token = 0; token < tokens; token++) {
      final int from = token * count;
      final int[] expected =
          IntStream.range(0, count)
              .boxed()
              .sorted(Comparator.comparing(e -> -logits[from + e]))
              .limit(used)
              .mapToInt(e -> e)
              .sorted()
              .toArray();
      final int at = token * used;
      assertArrayEquals(expected, Arrays.copyOfRange(routed.chosen, at, at + used));
      final double sum =
          (renormalises ? Arrays.stream(expected) : IntStream.range(0, count))
              .mapToDouble(e -> Math.exp(logits[from + e]))
              .sum();
      for (int i = 0; i < used; i++) {
        assertEquals(
            Math.exp(logits[from + expected[i]]) / sum, routed.shares[at + i], SHARE_ERROR);
      }
    }
  }

  @Test
  void shouldRouteToDifferentExpertsWhenLogitsAreNotNumbers() {
    final float[] logits = new float[40];
    Arrays.fill(logits, Float.NaN);
    logits[33] = -7;
    assertArrayEquals(new int[] {0, 1, 33}, route(shape(40, 3, true), logits, 1).chosen);
  }

  private record Routed(int[] chosen, float[] shares) {}

  private Routed route(FeedForwardVariant.Experts shape, float[] logits, int tokens) {
    final int choices = tokens * shape.usedCount();
    final long chosen = device.room(4L * choices);
    final long shares = device.room(4L * choices);
    kernels.route(shape, device.floats(logits), chosen, shares, tokens);
    stream.synchronize();
    return new Routed(device.readInts(chosen, choices), device.readFloats(shares, choices));
  }

  /** A step's slots on the device, with what they are by the definition. */
  private final class Slots {
    private final int choices;
    private final int experts;
    private final int used;
    private final int[] expected; // Choices in the order of their slots.
    private final int[] chosen;
    private final long slots;
    private final long sources;
    private final long tiles;

    private Slots(int experts, int used, int tokens, Random random) {
      this.experts = experts;
      this.used = used;
      choices = tokens * used;
      chosen = new int[choices];
      for (int token = 0; token < tokens; token++) {
        // The lower ones more often.
        final List<Integer> all = new ArrayList<>(IntStream.range(0, experts).boxed().toList());
        final List<Integer> own = new ArrayList<>();
        for (int i = 0; i < used; i++) {
          own.add(all.remove(random.nextInt(1 + random.nextInt(all.size()))));
        }
        own.sort(null);
        for (int i = 0; i < used; i++) chosen[token * used + i] = own.get(i);
      }
      expected =
          IntStream.range(0, choices)
              .boxed()
              .sorted(Comparator.comparing(choice -> chosen[choice]))
              .mapToInt(choice -> choice)
              .toArray();
      slots = device.room(4L * choices);
      sources = device.room(4L * choices);
      tiles = device.room(16L * MatmulShape.tileCount(choices, experts));
      kernels.groupExperts(
          shape(experts, used, true), device.ints(chosen), slots, sources, tiles, tokens);
      stream.synchronize();
    }

    private int expertOf(int slot) {
      return chosen[expected[slot]];
    }

    private int tokenOf(int slot) {
      return expected[slot] / used;
    }
  }

  @ParameterizedTest
  @CsvSource({"8, 2, 1", "128, 8, 40", "5, 3, 700", "512, 10, 3", "1, 1, 65"})
  void shouldGiveEachChoiceASlotAndEachSlotATile(int experts, int used, int tokens) {
    final Slots on = new Slots(experts, used, tokens, new Random(tokens));
    final int[] slots = device.readInts(on.slots, on.choices);
    final int[] sources = device.readInts(on.sources, on.choices);
    for (int slot = 0; slot < on.choices; slot++) {
      assertEquals(slot, slots[on.expected[slot]]);
      assertEquals(on.tokenOf(slot), sources[slot]);
    }
    final int tileTokens = MatmulShape.tileTokens(on.choices, experts);
    final int tileCount = MatmulShape.tileCount(on.choices, experts);
    final int[] tiles = device.readInts(on.tiles, 4 * tileCount);
    int next = 0;
    for (int i = 0; i < tiles.length; i += 4) {
      if (tiles[i + 1] == tiles[i + 2]) continue;
      assertEquals(next, tiles[i + 1]);
      next = tiles[i + 2];
      assertTrue(next - tiles[i + 1] <= tileTokens);
      assertEquals(tiles[i], on.expertOf(tiles[i + 1]));
      assertEquals(tiles[i], on.expertOf(next - 1));
    }
    assertEquals(on.choices, next);
  }

  /** Few tokens and many, so that each kernel runs: the bits are those of the plain product. */
  @ParameterizedTest
  @CsvSource({
    "Q8_0, 6, 2, 3",
    "BF16, 4, 2, 21",
    "Q4_K, 3, 2, 33",
    "Q6_K, 2, 1, 70",
    "Q8_0, 3, 2, 130"
  })
  void shouldMultiplyEachSlotByItsExpertsMatrix(
      WeightType type, int experts, int used, int tokens) {
    final Random random = new Random(tokens);
    final int rows = 48;
    final int columns = type.blockLength() == 256 ? 256 : 288;
    final WeightMatrix matrix =
        RandomWeights.matrix("experts", type, experts * rows, columns, 0.1, random);
    final RepackedMatrix repacked = new RepackedMatrix(device, matrix);
    final short[] x = RepackedMatrix.bf16Bits(RandomWeights.activations(tokens * columns, random));
    final float[] plain = repacked.multiply(repacked.product(tokens), x);
    final Slots on = new Slots(experts, used, tokens, random);
    final float[] ofTokens = multiply(repacked.onDevice(), rows, on, x, on.sources);
    final short[] gathered = new short[on.choices * columns];
    for (int slot = 0; slot < on.choices; slot++) {
      System.arraycopy(x, on.tokenOf(slot) * columns, gathered, slot * columns, columns);
    }
    final float[] ofSlots = multiply(repacked.onDevice(), rows, on, gathered, 0);
    for (int slot = 0; slot < on.choices; slot++) {
      final int from = (on.tokenOf(slot) * experts + on.expertOf(slot)) * rows;
      final float[] expected = Arrays.copyOfRange(plain, from, from + rows);
      final int to = (slot + 1) * rows;
      assertArrayEquals(expected, Arrays.copyOfRange(ofTokens, slot * rows, to));
      assertArrayEquals(expected, Arrays.copyOfRange(ofSlots, slot * rows, to));
    }
  }

  private float[] multiply(CudaMatrix all, int rows, Slots on, short[] x, long sources) {
    final var stack = new CudaMatrix(all.address(), all.type(), rows, all.columns());
    final long out = device.room(4L * on.choices * rows);
    kernels.expertProduct(stack, device.halves(x), sources, on.tiles, out, on.choices, on.experts);
    stream.synchronize();
    return device.readFloats(out, on.choices * rows);
  }

  @ParameterizedTest
  @CsvSource({"96, true, true", "50, false, false", "1028, true, false"})
  void shouldAddUpATokensOutputsInTheOrderOfTheExperts(int size, boolean hasShared, boolean adds) {
    final Random random = new Random(size);
    final int tokens = 3;
    final int used = 2;
    final float[] outputs = Values.gaussian(random, tokens * used * size);
    final float[] shares = Values.gaussian(random, tokens * used);
    final float[] shared = Values.gaussian(random, tokens * size);
    final float[] before = Values.gaussian(random, tokens * size);
    final int[] slots = Values.shuffled(random, tokens * used);
    final long out = device.floats(before);
    // A gate of zero is a share of a half, exactly.
    kernels.combineExperts(
        device.floats(outputs),
        device.ints(slots),
        device.floats(shares),
        hasShared ? device.floats(shared) : 0,
        device.floats(new float[tokens]),
        out,
        size,
        used,
        tokens,
        adds);
    stream.synchronize();
    final float[] actual = device.readFloats(out, tokens * size);
    for (int i = 0; i < actual.length; i++) {
      float sum = 0;
      for (int u = 0; u < used; u++) {
        final int choice = i / size * used + u;
        sum = Math.fma(shares[choice], outputs[slots[choice] * size + i % size], sum);
      }
      if (hasShared) sum = Math.fma(0.5f, shared[i], sum);
      assertEquals(adds ? before[i] + sum : sum, actual[i]);
    }
  }
}
