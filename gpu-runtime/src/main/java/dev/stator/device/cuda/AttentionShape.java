package dev.stator.device.cuda;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Which of attention's kernels takes which query tokens of a step, and in what grids.
 *
 * <p>Rows are the query heads of one key/value head, token by token. A slice of few rows goes to
 * {@code attention_decode}, which has a tile for each split of {@link #SPLIT} positions of each 16
 * rows, and then to {@code attention_merge}; one of many rows to {@code attention_prefill}, whose
 * tiles walk their splits. Both give the same bits (NUMERICS.md), so the choice is one of speed
 * alone, and a slice that finds no room for its partial results goes to prefill.
 *
 * <p>Grids of decode depend on the step's {@link Bucket} only, and so do the places of its lists,
 * so that a step of decodes can be replayed as a graph: surplus blocks of threads find nothing to
 * do.
 *
 * <p>{@link #free} is for measuring what the one split costs: its kernels take any, and give other
 * bits.
 *
 * <p><b>Threads:</b> any.
 */
final class AttentionShape {
  /** Positions of a split. */
  static final int SPLIT = 512;

  /** Rows of a decode tile: of one matrix instruction. */
  static final int DECODE_ROWS = 16;

  /** Rows of a slice up to which splits side by side are worth more than shared loads. */
  static final int DECODE_ROWS_OF_SLICE_MAX = 64;

  /** Int32s of a tile in the lists: {@code AttentionTile} of params.h. */
  static final int TILE_INTS = 8;

  /** Int32s in front of the lists; the first is the number of decode tiles. */
  static final int HEADER_INTS = 8;

  /** Blocks of threads that share a step's decode tiles: a few for each place on any device. */
  static final int DECODE_BLOCKS_MAX = 4096;

  private static final int KV_TILE = 64;
  private static final int WARP = 32;
  private static final int MERGE_ROWS = 4; // Of a block of threads.
  private static final int PARTIAL_EXTRA = 4; // Floats behind the sums of a partial row.
  private static final String MERGE = "attention_merge";
  private static final String FREE = "_free"; // Behind the names of kernels that take any split.

  /**
   * How attention.h is instantiated.
   *
   * @param rows of a tile
   * @param threads of a block of threads
   * @param warps that share rows
   * @param slots of the ring of keys and values
   */
  private record Instance(
      String kernel, int headSize, int rows, int threads, int warps, int slots) {
    static Instance decode(int headSize, int slots) {
      return new Instance(
          "attention_decode_" + headSize, headSize, DECODE_ROWS, 4 * WARP, 4, slots);
    }

    static Instance prefill(String kernel, int headSize, int rows, int warps, int slots) {
      return new Instance(kernel, headSize, rows, rows / 32 * warps * WARP, warps, slots);
    }

    /** The ring, queries, weights; what warps exchange, and positions. */
    int sharedBytes() {
      return 2 * (slots * KV_TILE * headSize + rows * headSize + rows * KV_TILE)
          + Integer.BYTES * (warps + 1) * rows;
    }

    Instance free() {
      return new Instance(kernel + FREE, headSize, rows, threads, warps, slots);
    }

    Launch launch(int gridX, int gridY) {
      return new Launch(kernel, gridX, gridY, threads, sharedBytes());
    }
  }

  private static final List<Instance> DECODES =
      List.of(
          Instance.decode(32, 4),
          Instance.decode(64, 4),
          Instance.decode(96, 4),
          Instance.decode(128, 4),
          Instance.decode(256, 2));

  /** Values of a head that there are kernels for. */
  static final List<Integer> HEAD_SIZES = DECODES.stream().map(Instance::headSize).toList();

  /** Values of a head that there are kernels with any split for. */
  static final List<Integer> FREE_HEAD_SIZES = List.of(64, 128);

  /** The first of a head size that fits into the device's shared memory is the fastest. */
  private static final List<Instance> PREFILLS =
      List.of(
          Instance.prefill("attention_prefill_32", 32, 128, 2, 4),
          Instance.prefill("attention_prefill_64", 64, 128, 2, 4),
          Instance.prefill("attention_prefill_96", 96, 128, 2, 4),
          Instance.prefill("attention_prefill_128", 128, 128, 2, 4),
          Instance.prefill("attention_prefill_128_narrow", 128, 64, 2, 4),
          Instance.prefill("attention_prefill_256", 256, 32, 4, 2));

  /**
   * Neighbouring query tokens of one sequence.
   *
   * @param firstToken row of the step's activations
   * @param start position of the first
   * @param tableStart where the sequence's blocks begin in the block table
   */
  record Slice(int firstToken, int tokenCount, int start, int tableStart) {
    Slice {
      if (firstToken < 0 || tokenCount < 0 || start < 0 || tableStart < 0) {
        throw new IllegalArgumentException("a slice's numbers must not be negative");
      }
    }
  }

  /**
   * What decode's grids depend on; both powers of two.
   *
   * @param tileCount tiles of 16 rows
   * @param splitCount splits of the longest sequence
   */
  record Bucket(int tileCount, int splitCount) {
    static final Bucket SMALLEST = new Bucket(1, 1);

    /** The smallest that holds that much. */
    static Bucket of(int tileCount, int splitCount) {
      return new Bucket(powerOfTwo(tileCount), powerOfTwo(splitCount));
    }

    private static int powerOfTwo(int atLeast) {
      return atLeast <= 1 ? 1 : Integer.highestOneBit(atLeast - 1) * 2;
    }

    private Bucket max(Bucket other) {
      return new Bucket(
          Math.max(tileCount, other.tileCount), Math.max(splitCount, other.splitCount));
    }
  }

  /** A launch of a kernel. */
  record Launch(String kernel, int gridX, int gridY, int threads, int sharedBytes) {}

  /**
   * A step's attention, the same for all its layers.
   *
   * @param lists int32s for the device: header, merge tiles, decode tiles, prefill tiles
   * @param mergeTilesAt index into {@code lists}
   * @param decodeTilesAt index into {@code lists}
   * @param prefillTilesAt index into {@code lists}
   * @param decode {@code null} when no slice is decoded and no bucket was asked for
   * @param merge runs behind {@code decode}; {@code null} with it, or where the bucket has one
   *     split
   * @param prefill {@code null} for none
   * @param partialBytes used of the memory for partial results
   */
  record Plan(
      int[] lists,
      int mergeTilesAt,
      int decodeTilesAt,
      int prefillTilesAt,
      Bucket bucket,
      Launch decode,
      Launch merge,
      Launch prefill,
      long partialBytes) {}

  private final int keyValueHeadCount;
  private final int groupSize;
  private final Instance decoder;
  private final Instance prefiller;
  private final String merge;
  private final int split;
  private final long partialRowBytes;
  private final long partialRowsMax;

  /**
   * @param sharedBytesMax that a block of threads may have on the device
   * @param partialBytesMax memory for partial results
   * @throws IllegalArgumentException when there are no kernels for these heads
   */
  AttentionShape(
      int headCount,
      int keyValueHeadCount,
      int headSize,
      int sharedBytesMax,
      long partialBytesMax) {
    if (keyValueHeadCount <= 0 || headCount <= 0 || headCount % keyValueHeadCount != 0) {
      throw new IllegalArgumentException(
          headCount + " query heads are not a multiple of " + keyValueHeadCount);
    }
    this.keyValueHeadCount = keyValueHeadCount;
    groupSize = headCount / keyValueHeadCount;
    decoder = instanceOf(DECODES, headSize, sharedBytesMax);
    prefiller = instanceOf(PREFILLS, headSize, sharedBytesMax);
    merge = MERGE;
    split = SPLIT;
    partialRowBytes = (long) keyValueHeadCount * Float.BYTES * (headSize + PARTIAL_EXTRA);
    partialRowsMax = Math.min(partialBytesMax / partialRowBytes, Integer.MAX_VALUE / 2);
  }

  private AttentionShape(AttentionShape fixed, int split) {
    keyValueHeadCount = fixed.keyValueHeadCount;
    groupSize = fixed.groupSize;
    decoder = fixed.decoder.free();
    prefiller = fixed.prefiller.free();
    merge = MERGE + FREE;
    this.split = split;
    partialRowBytes = fixed.partialRowBytes;
    partialRowsMax = fixed.partialRowsMax;
  }

  /**
   * The same with decode's splits of that length and prefill's of any, which is what an engine may
   * choose that does not promise the same bits. For measurements.
   *
   * @param length a multiple of 64
   * @throws IllegalArgumentException for another, or when there are no such kernels for these heads
   */
  AttentionShape free(int length) {
    if (length <= 0 || length % KV_TILE != 0) {
      throw new IllegalArgumentException("a split is a multiple of " + KV_TILE + ", not " + length);
    }
    if (!FREE_HEAD_SIZES.contains(decoder.headSize)) {
      throw new IllegalArgumentException(
          "kernels with any split take heads of " + FREE_HEAD_SIZES + ", not " + decoder.headSize);
    }
    return new AttentionShape(this, length);
  }

  private static Instance instanceOf(List<Instance> instances, int headSize, int sharedBytesMax) {
    final List<Instance> ofSize =
        instances.stream().filter(instance -> instance.headSize == headSize).toList();
    if (ofSize.isEmpty()) {
      throw new IllegalArgumentException(
          "attention on CUDA devices takes heads of " + HEAD_SIZES + " values, not of " + headSize);
    }
    return ofSize.stream()
        .filter(instance -> instance.sharedBytes() <= sharedBytesMax)
        .findFirst()
        .orElseThrow(() ->
            new IllegalArgumentException(
                ofSize.getLast().kernel
                    + " needs "
                    + ofSize.getLast().sharedBytes()
                    + " bytes of shared memory, the device gives "
                    + sharedBytesMax));
  }

  /** Lays out a step. */
  Plan plan(List<Slice> slices) {
    return plan(slices, null);
  }

  /**
   * Lays out a step.
   *
   * @param atLeast decode's grids are for this bucket or a larger one; {@code null} for what it
   *     takes
   */
  Plan plan(List<Slice> slices, Bucket atLeast) {
    final Tiles merge = new Tiles(split);
    final Tiles decode = new Tiles(split);
    final List<Slice> prefilled = new ArrayList<>();
    int splitsMax = 0;
    long partialRows = 0;
    for (Slice slice : slices) {
      if (slice.tokenCount == 0) continue;
      final int rows = slice.tokenCount * groupSize;
      final int splits = splitsOf(slice.start + slice.tokenCount);
      final long needed = splits > 1 ? (long) rows * splits : 0;
      if (rows > DECODE_ROWS_OF_SLICE_MAX || partialRows + needed > partialRowsMax) {
        prefilled.add(slice);
        continue;
      }
      addDecodeTiles(slice, (int) partialRows, merge, decode);
      splitsMax = Math.max(splitsMax, splits);
      partialRows += needed;
    }
    Bucket bucket = Bucket.of(merge.count(), splitsMax);
    if (atLeast != null) bucket = bucket.max(atLeast);
    final boolean decodes = atLeast != null || decode.count() > 0;
    return plan(merge, decode, prefillTiles(prefilled), bucket, decodes, partialRows);
  }

  private Plan plan(
      Tiles merge, Tiles decode, Tiles prefill, Bucket bucket, boolean decodes, long partialRows) {
    final int mergeTilesAt = HEADER_INTS;
    final int decodeTilesAt = mergeTilesAt + (decodes ? bucket.tileCount * TILE_INTS : 0);
    final int prefillTilesAt = decodeTilesAt + decode.end;
    final int[] lists = new int[prefillTilesAt + prefill.end];
    lists[0] = decode.count();
    merge.copyTo(lists, mergeTilesAt);
    decode.copyTo(lists, decodeTilesAt);
    prefill.copyTo(lists, prefillTilesAt);
    return new Plan(
        lists,
        mergeTilesAt,
        decodeTilesAt,
        prefillTilesAt,
        bucket,
        decodes ? decodeLaunch(bucket) : null,
        decodes && bucket.splitCount > 1 ? mergeLaunch(bucket) : null,
        prefill.count() > 0 ? prefiller.launch(prefill.count(), keyValueHeadCount) : null,
        partialRows * partialRowBytes);
  }

  /** For each 16 rows a tile to merge, and a tile to decode for each split up to their last. */
  private void addDecodeTiles(Slice slice, int partialRow, Tiles merge, Tiles decode) {
    final int rows = slice.tokenCount * groupSize;
    int partial = partialRow;
    for (int from = 0; from < rows; from += DECODE_ROWS) {
      final int to = Math.min(rows, from + DECODE_ROWS);
      final int splits = splitsOf(slice.start + (to - 1) / groupSize + 1);
      merge.add(slice, from, to, 0, partial);
      for (int split = 0; split < splits; split++) {
        decode.add(slice, from, to, split, partial + split * (to - from));
      }
      if (splits > 1) partial += splits * (to - from);
    }
  }

  /** The tiles that see most come first: none of them should begin when the others end. */
  private Tiles prefillTiles(List<Slice> slices) {
    record Tile(Slice slice, int from, int to, int end) {}
    final List<Tile> ordered = new ArrayList<>();
    for (Slice slice : slices) {
      final int rows = slice.tokenCount * groupSize;
      for (int from = 0; from < rows; from += prefiller.rows) {
        final int to = Math.min(rows, from + prefiller.rows);
        ordered.add(new Tile(slice, from, to, slice.start + (to - 1) / groupSize + 1));
      }
    }
    ordered.sort(Comparator.comparingInt(Tile::end).reversed());
    final Tiles tiles = new Tiles(split);
    for (Tile tile : ordered) tiles.add(tile.slice, tile.from, tile.to, 0, 0);
    return tiles;
  }

  private Launch decodeLaunch(Bucket bucket) {
    final long tiles = (long) bucket.tileCount * bucket.splitCount;
    final int gridX = (int) Math.min(tiles, Math.max(1, DECODE_BLOCKS_MAX / keyValueHeadCount));
    return decoder.launch(gridX, keyValueHeadCount);
  }

  private Launch mergeLaunch(Bucket bucket) {
    final int blocksOfTile = DECODE_ROWS / MERGE_ROWS;
    final int gridX = bucket.tileCount * blocksOfTile;
    return new Launch(merge, gridX, keyValueHeadCount, MERGE_ROWS * WARP, 0);
  }

  private int splitsOf(int length) {
    return (length + split - 1) / split;
  }

  /** {@code AttentionTile}s of params.h, one behind another. */
  private static final class Tiles {
    private final int splitLength;
    private int[] ints = new int[16 * TILE_INTS];
    private int end;

    private Tiles(int splitLength) {
      this.splitLength = splitLength;
    }

    private void add(Slice slice, int rowFrom, int rowTo, int split, int partialRow) {
      if (end == ints.length) ints = Arrays.copyOf(ints, 2 * end);
      ints[end] = slice.firstToken;
      ints[end + 1] = slice.start;
      ints[end + 2] = slice.tableStart;
      ints[end + 3] = rowFrom;
      ints[end + 4] = rowTo;
      ints[end + 5] = split;
      ints[end + 6] = partialRow;
      ints[end + 7] = splitLength;
      end += TILE_INTS;
    }

    private int count() {
      return end / TILE_INTS;
    }

    private void copyTo(int[] lists, int at) {
      System.arraycopy(ints, 0, lists, at, end);
    }
  }
}
