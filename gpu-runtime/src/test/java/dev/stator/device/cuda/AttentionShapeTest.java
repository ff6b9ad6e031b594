package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.device.cuda.AttentionShape.Bucket;
import dev.stator.device.cuda.AttentionShape.Plan;
import dev.stator.device.cuda.AttentionShape.Slice;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class AttentionShapeTest {
  private static final int GROUP = 4;
  private static final long ROOM = 8 << 20;
  private static final long ROW_BYTES = 2 * 4 * (64 + 4); // Of a partial result, both heads.
  private static final int ADA_SHARED_BYTES = 99 << 10;
  private static final int AMPERE_SHARED_BYTES = 163 << 10;

  private final AttentionShape shape = new AttentionShape(2 * GROUP, 2, 64, ADA_SHARED_BYTES, ROOM);

  private static Slice decode(int token, int length) {
    return new Slice(token, 1, length - 1, 100 * token);
  }

  /** A tile's int32s by name. */
  private record Tile(
      int token, int start, int tableStart, int rowFrom, int rowTo, int split, int partialRow) {
    static List<Tile> of(Plan plan, int at, int count) {
      final List<Tile> tiles = new ArrayList<>();
      for (int i = at; i < at + count * AttentionShape.TILE_INTS; i += AttentionShape.TILE_INTS) {
        final int[] t = plan.lists();
        tiles.add(new Tile(t[i], t[i + 1], t[i + 2], t[i + 3], t[i + 4], t[i + 5], t[i + 6]));
      }
      return tiles;
    }

    int rows() {
      return rowTo - rowFrom;
    }

    /** Splits that its rows see. */
    int splits() {
      return (start + (rowTo - 1) / GROUP) / AttentionShape.SPLIT + 1;
    }
  }

  private static List<Tile> decodeTiles(Plan plan) {
    return Tile.of(plan, plan.decodeTilesAt(), plan.lists()[0]);
  }

  private static List<Tile> mergeTiles(Plan plan) {
    return Tile.of(plan, plan.mergeTilesAt(), plan.bucket().tileCount());
  }

  private static List<Tile> prefillTiles(Plan plan) {
    return Tile.of(plan, plan.prefillTilesAt(), plan.prefill().gridX());
  }

  @Test
  void shouldGiveEachSplitOfASequenceATile() {
    final Plan plan = shape.plan(List.of(decode(0, 513), decode(1, 512)));
    assertEquals(
        List.of(
            new Tile(0, 512, 0, 0, 4, 0, 0),
            new Tile(0, 512, 0, 0, 4, 1, 4),
            new Tile(1, 511, 100, 0, 4, 0, 8)),
        decodeTiles(plan));
    assertEquals(
        List.of(new Tile(0, 512, 0, 0, 4, 0, 0), new Tile(1, 511, 100, 0, 4, 0, 8)),
        mergeTiles(plan));
    assertEquals(new Bucket(2, 2), plan.bucket());
    assertEquals(8 * ROW_BYTES, plan.partialBytes());
    assertNull(plan.prefill());
  }

  @Test
  void shouldHaveOneShapeWhenBucketsAreEqual() {
    final Plan few = shape.plan(List.of(decode(0, 1500), decode(1, 3), decode(2, 700)));
    final Plan more =
        shape.plan(List.of(decode(0, 1), decode(1, 9), decode(2, 1100), decode(3, 2048)));
    assertEquals(new Bucket(4, 4), few.bucket());
    assertEquals(few.bucket(), more.bucket());
    assertEquals(few.decode(), more.decode());
    assertEquals(few.merge(), more.merge());
    assertEquals(few.decodeTilesAt(), more.decodeTilesAt());
    assertEquals(0, mergeTiles(few).get(3).rows(), "surplus");
  }

  @Test
  void shouldHaveLaunchesForABucketWithoutDecodes() {
    final Plan plan = shape.plan(List.of(), new Bucket(8, 2));
    assertEquals(16, plan.decode().gridX());
    assertEquals(32, plan.merge().gridX());
    assertEquals(0, decodeTiles(plan).size());
    final Plan nothing = shape.plan(List.of(new Slice(0, 0, 7, 0)));
    assertNull(nothing.decode());
    assertNull(nothing.merge());
    assertNull(nothing.prefill());
  }

  @Test
  void shouldNotMergeWhenNoSequenceHasASecondSplit() {
    final Plan plan = shape.plan(List.of(decode(0, 512)));
    assertNotNull(plan.decode());
    assertNull(plan.merge());
    assertEquals(0, plan.partialBytes());
  }

  @Test
  void shouldPrefillManyRowsLongestFirst() {
    final Plan plan = shape.plan(List.of(new Slice(0, 70, 0, 5), new Slice(70, 17, 400, 50)));
    assertNull(plan.decode());
    final List<Tile> tiles = prefillTiles(plan);
    assertEquals(List.of(70, 0, 0, 0), tiles.stream().map(Tile::token).toList());
    assertEquals(List.of(0, 256, 128, 0), tiles.stream().map(Tile::rowFrom).toList());
    assertEquals(List.of(68, 280, 256, 128), tiles.stream().map(Tile::rowTo).toList());
    assertEquals(256, plan.prefill().threads());
  }

  @Test
  void shouldPrefillWhatHasNoRoomForPartialResults() {
    final var tight = new AttentionShape(2 * GROUP, 2, 64, ADA_SHARED_BYTES, 10 * ROW_BYTES);
    final Plan plan = tight.plan(List.of(decode(0, 600), decode(1, 600), decode(2, 500)));
    assertEquals(1, prefillTiles(plan).size());
    assertEquals(Set.of(0, 2), new HashSet<>(decodeTiles(plan).stream().map(Tile::token).toList()));
    assertEquals(8 * ROW_BYTES, plan.partialBytes());
  }

  @Test
  void shouldCoverEachRowAndSplitOnceWhateverTheStep() {
    final Random random = new Random(1);
    for (int step = 0; step < 200; step++) {
      final List<Slice> slices = new ArrayList<>();
      int token = 0;
      while (slices.size() < 1 + step % 9) {
        final int count = 1 + random.nextInt(random.nextBoolean() ? 3 : 40);
        slices.add(new Slice(token, count, random.nextInt(3000), 200 * slices.size()));
        token += count;
      }
      final Plan plan = shape.plan(slices);
      checkDecode(plan);
      checkRows(plan, token);
    }
  }

  /** Each row of the step is in one merge tile or one prefill tile. */
  private static void checkRows(Plan plan, int tokens) {
    final List<Tile> tiles = new ArrayList<>();
    if (plan.decode() != null) tiles.addAll(mergeTiles(plan));
    if (plan.prefill() != null) tiles.addAll(prefillTiles(plan));
    final int[] times = new int[tokens * GROUP];
    for (Tile tile : tiles) {
      for (int row = tile.rowFrom; row < tile.rowTo; row++) times[tile.token * GROUP + row]++;
    }
    final int[] once = new int[times.length];
    Arrays.fill(once, 1);
    assertArrayEquals(once, times);
  }

  /** Partial results lie apart, each where the merge looks for it. */
  private static void checkDecode(Plan plan) {
    if (plan.decode() == null) return;
    final Set<Tile> expected = new HashSet<>();
    final Set<Integer> partialRows = new HashSet<>();
    for (Tile tile : mergeTiles(plan)) {
      for (int split = 0; tile.rows() > 0 && split < tile.splits(); split++) {
        final int partial = tile.partialRow + split * tile.rows();
        expected.add(
            new Tile(
                tile.token, tile.start, tile.tableStart, tile.rowFrom, tile.rowTo, split, partial));
        for (int row = 0; tile.splits() > 1 && row < tile.rows(); row++) {
          assertTrue(partialRows.add(partial + row), "a partial row of two");
          assertTrue((partial + row) * ROW_BYTES < plan.partialBytes());
        }
      }
    }
    assertEquals(expected, new HashSet<>(decodeTiles(plan)));
    assertEquals(expected.size(), decodeTiles(plan).size());
  }

  @Test
  void shouldFitIntoTheSharedMemoryOfEveryDevice() {
    assertEquals("attention_prefill_128", prefillKernel(128, AMPERE_SHARED_BYTES));
    assertEquals("attention_prefill_128_narrow", prefillKernel(128, ADA_SHARED_BYTES));
    for (int headSize : new int[] {32, 64, 96, 256}) {
      assertEquals("attention_prefill_" + headSize, prefillKernel(headSize, ADA_SHARED_BYTES));
    }
  }

  private static String prefillKernel(int headSize, int sharedBytes) {
    final var any = new AttentionShape(8, 1, headSize, sharedBytes, ROOM);
    final Plan plan = any.plan(List.of(decode(0, 9), new Slice(1, 100, 0, 10)));
    assertTrue(plan.decode().sharedBytes() <= sharedBytes);
    assertTrue(plan.prefill().sharedBytes() <= sharedBytes);
    assertEquals("attention_decode_" + headSize, plan.decode().kernel());
    return plan.prefill().kernel();
  }

  @Test
  void shouldCutIntoAnySplitWhenFree() {
    final Plan plan = shape.free(192).plan(List.of(decode(0, 385), decode(1, 192)));
    assertEquals("attention_decode_64_free", plan.decode().kernel());
    assertEquals("attention_merge_free", plan.merge().kernel());
    assertEquals(List.of(0, 1, 2, 0), decodeTiles(plan).stream().map(Tile::split).toList());
    final int first = plan.decodeTilesAt();
    assertEquals(192, plan.lists()[first + AttentionShape.TILE_INTS - 1]);
    assertEquals(
        "attention_prefill_64_free",
        shape.free(64).plan(List.of(new Slice(0, 100, 0, 0))).prefill().kernel());
    assertThrows(IllegalArgumentException.class, () -> shape.free(100));
    final var narrow = new AttentionShape(2, 2, 32, ADA_SHARED_BYTES, ROOM);
    assertThrows(IllegalArgumentException.class, () -> narrow.free(64));
  }

  @Test
  void shouldRefuseHeadsAndDevicesWithoutKernels() {
    assertEquals(
        "attention on CUDA devices takes heads of [32, 64, 96, 128, 256] values, not of 80",
        refusal(8, 80, ADA_SHARED_BYTES));
    assertEquals(
        "attention_decode_128 needs 72000 bytes of shared memory, the device gives 49152",
        refusal(8, 128, 48 << 10));
    assertEquals("8 query heads are not a multiple of 3", refusal(3, 64, ADA_SHARED_BYTES));
  }

  private static String refusal(int keyValueHeads, int headSize, int sharedBytes) {
    return assertThrows(
            IllegalArgumentException.class,
            () -> new AttentionShape(8, keyValueHeads, headSize, sharedBytes, ROOM))
        .getMessage();
  }
}
