package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.device.cuda.AttentionFixture.Heads;
import dev.stator.device.cuda.AttentionFixture.Part;
import dev.stator.device.cuda.AttentionShape.Bucket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Attention's kernels against the formula in float64, and against each other to the bit. */
class AttentionKernelsTest {
  private static final int ALL = Integer.MAX_VALUE;

  /** Around the edges of KV blocks, KV tiles and splits. */
  private static final int[] LENGTHS = {1, 15, 16, 17, 63, 64, 65, 165, 511, 512, 513, 1025};

  /** Of a row's length: weights and results are rounded to 8 bits. */
  private static final double ERROR_MAX = 5e-3;

  static Stream<Heads> heads() {
    return Stream.of(
        Heads.plain(1, 2, 32),
        Heads.plain(4, 2, 64),
        Heads.plain(7, 1, 64),
        Heads.plain(2, 1, 96),
        Heads.plain(8, 1, 128),
        Heads.plain(2, 1, 256),
        new Heads(4, 2, 64, 2.5f, ALL),
        new Heads(4, 1, 32, 0, 1),
        new Heads(4, 1, 64, 0, 100),
        new Heads(34, 2, 32, 3, 600));
  }

  @ParameterizedTest
  @MethodSource("heads")
  void shouldMatchTheFormulaWhenDecodingARaggedBatch(Heads heads) {
    try (var fixture = new AttentionFixture(CudaTests.open(), heads, 1, LENGTHS)) {
      final Part[] parts = new Part[LENGTHS.length];
      for (int s = 0; s < parts.length; s++) parts[s] = Part.last(s, LENGTHS[s]);
      check(fixture, fixture.run(parts), parts);
    }
  }

  @ParameterizedTest
  @MethodSource("heads")
  void shouldMatchTheFormulaWhenPrefillingBesideDecodes(Heads heads) {
    try (var fixture = new AttentionFixture(CudaTests.open(), heads, 2, 70, 600, 40, 1100)) {
      final Part[] parts = {
        new Part(0, 0, 70), new Part(1, 509, 7), new Part(2, 39, 1), new Part(3, 1000, 66)
      };
      check(fixture, fixture.run(parts), parts);
    }
  }

  static Stream<Heads> freeHeads() {
    return Stream.of(
        Heads.plain(4, 2, 64),
        Heads.plain(8, 1, 128),
        new Heads(4, 1, 64, 0, 100),
        new Heads(4, 2, 128, 2.5f, 600));
  }

  @ParameterizedTest
  @MethodSource("freeHeads")
  void shouldMatchTheFormulaWithAnySplit(Heads heads) {
    try (var fixture = new AttentionFixture(CudaTests.open(), heads, 11, LENGTHS)) {
      final Part[] parts = new Part[LENGTHS.length + 1];
      for (int s = 0; s < LENGTHS.length; s++) parts[s] = Part.last(s, LENGTHS[s]);
      parts[LENGTHS.length] = new Part(LENGTHS.length - 1, 900, 70); // Prefill's.
      for (int split : new int[] {64, 192, 512, 1088}) {
        fixture.splitFreely(split);
        check(fixture, fixture.run(parts), parts);
      }
    }
  }

  @Test
  void shouldGiveTheBitsOfTheFixedSplitWhenAFreeOneIsAsLong() {
    final Heads heads = Heads.plain(4, 2, 64);
    try (var fixture = new AttentionFixture(CudaTests.open(), heads, 12, 1580)) {
      fixture.cancel(0);
      final short[] fixed = fixture.run(Part.last(0, 1580));
      fixture.splitFreely(AttentionShape.SPLIT);
      assertArrayEquals(fixed, fixture.run(Part.last(0, 1580)));
      fixture.splitFreely(128);
      assertFalse(Arrays.equals(fixed, fixture.run(Part.last(0, 1580))), "rounding is seen here");
    }
  }

  @ParameterizedTest
  @MethodSource("heads")
  void shouldGiveTheSameBitsAloneBatchedAndPrefilled(Heads heads) {
    try (var fixture = new AttentionFixture(CudaTests.open(), heads, 3, 1100, 300)) {
      final int size = heads.querySize();
      final Part chunk = new Part(0, 1000, 66);
      final short[] whole = fixture.run(chunk);
      for (int position : new int[] {1000, 1023, 1024, 1065}) {
        final short[] alone = fixture.run(new Part(0, position, 1));
        final int at = (position - chunk.start()) * size;
        assertArrayEquals(alone, Arrays.copyOfRange(whole, at, at + size), "at " + position);
        final short[] batched = fixture.run(new Part(1, 280, 2), new Part(0, position, 1));
        assertArrayEquals(alone, Arrays.copyOfRange(batched, 2 * size, 3 * size));
      }
    }
  }

  /** Of cancelling sequences: what rounding leaves. */
  private static final double RESIDUE_MAX = 1e-5;

  @Test
  void shouldLeaveTheSameRoundingErrorsAloneAndPrefilled() {
    final Heads heads = Heads.plain(4, 1, 64);
    try (var fixture = new AttentionFixture(CudaTests.open(), heads, 10, 1580)) {
      fixture.cancel(0);
      final Part chunk = new Part(0, 1536, 40);
      final short[] whole = fixture.run(chunk);
      int zeros = 0;
      for (int i = 0; i < whole.length; i++) {
        assertTrue(Math.abs(AttentionFixture.number(whole, i)) < RESIDUE_MAX, "what is left");
        if (whole[i] == 0) zeros++;
      }
      assertTrue(zeros < whole.length / 4, zeros + " zeros of " + whole.length);
      for (int p = chunk.start(); p < chunk.start() + chunk.count(); p += 13) {
        final int at = (p - chunk.start()) * heads.querySize();
        assertArrayEquals(
            fixture.run(new Part(0, p, 1)),
            Arrays.copyOfRange(whole, at, at + heads.querySize()),
            "at " + p);
      }
    }
  }

  @Test
  void shouldGiveTheSameBitsHoweverAPromptIsCut() {
    final int length = 530;
    final Random random = new Random(4);
    for (int window : new int[] {ALL, 77}) {
      final Heads heads = new Heads(3, 1, 32, 0, window);
      try (var fixture = new AttentionFixture(CudaTests.open(), heads, 4, length)) {
        final short[] whole = fixture.run(new Part(0, 0, length));
        for (int start = 0; start < length; ) {
          final int most = random.nextBoolean() ? 20 : 120; // Decode's, or prefill's.
          final int count = Math.min(length - start, 1 + random.nextInt(most));
          final short[] part = fixture.run(new Part(0, start, count));
          final int from = start * heads.querySize();
          assertArrayEquals(
              Arrays.copyOfRange(whole, from, from + part.length), part, "from " + start);
          start += count;
        }
      }
    }
  }

  @Test
  void shouldGiveTheSameBitsWhenPartialResultsFindNoRoom() {
    final Heads heads = Heads.plain(4, 2, 64);
    try (var fixture = new AttentionFixture(CudaTests.open(), heads, 5, 900, 513, 512)) {
      final Part[] parts = {Part.last(0, 900), new Part(1, 510, 3), Part.last(2, 512)};
      assertArrayEquals(fixture.run(parts), fixture.run(0, null, parts));
    }
  }

  @Test
  void shouldGiveTheSameBitsInLittleSharedMemory() {
    final Heads heads = Heads.plain(4, 1, 128);
    try (var fixture = new AttentionFixture(CudaTests.open(), heads, 9, 700)) {
      final Part chunk = new Part(0, 680, 19);
      final short[] wide = fixture.run(chunk);
      fixture.limitSharedBytes(99 << 10);
      assertArrayEquals(wide, fixture.run(chunk));
    }
  }

  @Test
  void shouldGiveTheSameBitsInALargerBucket() {
    final Heads heads = Heads.plain(4, 1, 128);
    try (var fixture = new AttentionFixture(CudaTests.open(), heads, 6, 600, 20)) {
      final Part[] parts = {Part.last(0, 600), Part.last(1, 20)};
      assertArrayEquals(
          fixture.run(parts), fixture.run(AttentionFixture.PARTIAL_BYTES, new Bucket(8, 4), parts));
    }
  }

  @Test
  void shouldGiveTheSameBitsWhenQueriesAreVerified() {
    final Heads heads = Heads.plain(8, 1, 64);
    try (var fixture = new AttentionFixture(CudaTests.open(), heads, 7, 1030)) {
      final short[] drafts = fixture.run(new Part(0, 1022, 6)); // 48 rows: three tiles.
      final List<Short> single = new ArrayList<>();
      for (int p = 1022; p < 1028; p++) {
        for (short value : fixture.run(new Part(0, p, 1))) single.add(value);
      }
      for (int i = 0; i < drafts.length; i++) assertTrue(single.get(i) == drafts[i], "at " + i);
    }
  }

  private static void check(AttentionFixture fixture, short[] results, Part... parts) {
    final Heads heads = fixture.heads();
    int at = 0;
    for (Part part : parts) {
      for (int position = part.start(); position < part.start() + part.count(); position++) {
        for (int head = 0; head < heads.count(); head++, at += heads.size()) {
          final double error =
              error(results, at, fixture.expected(part.sequence(), position, head));
          assertTrue(
              error < ERROR_MAX,
              "sequence " + part.sequence() + " at " + position + ", head " + head + ": " + error);
        }
      }
    }
  }

  /** Of a row, relative to its length. */
  private static double error(short[] results, int at, double[] expected) {
    double squares = 0;
    double length = 0;
    for (int d = 0; d < expected.length; d++) {
      final double difference = AttentionFixture.number(results, at + d) - expected[d];
      squares += difference * difference;
      length += expected[d] * expected[d];
    }
    return Math.sqrt(squares / length);
  }
}
