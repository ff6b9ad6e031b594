package dev.stator.device.cuda;

import dev.stator.model.WeightType;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * A kernel that could compute a product: one of the family's, all of which give the same bits, or
 * one that cuts the columns as it is told, which does not. For measurements of what the family's
 * one cut costs; nothing that serves asks for the latter.
 *
 * <p>Any thread.
 *
 * @param isPacked whether its input is packed as for {@link MatmulShape#wgmma}
 * @param cut {@code null} for the family's
 */
record MatmulVariant(MatmulShape shape, boolean isPacked, Cut cut) {
  /** Types that have kernels with any cut. */
  private static final Set<WeightType> FREE_TYPES = Set.of(WeightType.BF16, WeightType.Q4_K);

  private static final int WARPS = 8; // Of a block of decode.
  private static final int DECODE_TOKENS_MIN = 8;
  private static final int DECODE_TOKENS_MAX = 64;
  private static final int PREFILL_TOKENS = 64;

  /** From so many tokens on prefill's tiles of 64 are tried. */
  private static final int PREFILL_TOKENS_MIN = 16;

  /** From so many on tiles of 256 are. */
  private static final int WGMMA_TOKENS_MIN = 64;

  private static final int[] COUNTS = {1, 2, 4, 8};

  /**
   * How columns are cut, {@code FreeMatmulParams}.
   *
   * @param rangeUnits of a range
   * @param blockRanges of a block of threads
   * @param parts blocks of threads that share an output's ranges
   */
  record Cut(int rangeUnits, int blockRanges, int parts) {}

  /** Whether there are kernels with any cut for weights of that type. */
  static boolean isFree(WeightType type) {
    return FREE_TYPES.contains(type);
  }

  /** Chooses for a product; {@code null} leaves it to the family. */
  interface Choice {
    MatmulVariant of(CudaMatrix matrix, int tokens);
  }

  /** Whether several blocks of threads add to an output, which must be there before. */
  boolean isShared() {
    return cut != null && cut.parts > 1;
  }

  /** Adds what the kernel takes beside {@code MatmulParams}. */
  void addTo(KernelParams params) {
    if (cut == null) return;
    params.int32(0); // The end of MatmulParams.
    params.int32(cut.rangeUnits).int32(cut.blockRanges).int32(cut.parts);
  }

  /** For the user, such as {@code free_8, 4 x 2 ranges}. */
  String title() {
    final String kernel = shape.kernel().replaceFirst("matmul_[a-z]+\\d*(_[k0]|_e4m3)?_", "");
    if (cut == null) return kernel;
    return kernel + ", " + cut.parts + " x " + cut.blockRanges + " ranges";
  }

  /**
   * All that might be the fastest.
   *
   * @param hasWgmma whether an input can be packed
   */
  static List<MatmulVariant> candidates(
      WeightType type, int rows, int columns, int tokens, boolean hasWgmma) {
    final Set<MatmulVariant> all = new LinkedHashSet<>();
    final boolean isFree = isFree(type);
    for (int ofBlock : decodeTokens(tokens)) {
      all.add(
          new MatmulVariant(MatmulShape.decode(type, rows, columns, tokens, ofBlock), false, null));
      if (!isFree) continue;
      for (int ranges : COUNTS) {
        for (int parts : COUNTS)
          all.add(decode(type, rows, columns, tokens, ofBlock, ranges, parts));
      }
    }
    if (tokens >= PREFILL_TOKENS_MIN) {
      all.add(new MatmulVariant(MatmulShape.prefill(type, rows, columns, tokens), false, null));
      if (isFree) {
        final int partsMax = tokens <= PREFILL_TOKENS ? WARPS : 1;
        for (int parts : COUNTS) {
          if (parts <= partsMax) all.add(prefill(type, rows, columns, tokens, parts));
        }
      }
    }
    if (hasWgmma && tokens >= WGMMA_TOKENS_MIN) {
      final MatmulShape wgmma = MatmulShape.wgmma(type, rows, columns, tokens);
      all.add(new MatmulVariant(wgmma, true, null));
      if (isFree) all.add(new MatmulVariant(freed(wgmma, "wgmma", 1), true, whole(type, columns)));
    }
    return new ArrayList<>(all);
  }

  /** The smallest kernel that takes all tokens at once, and the next smaller one. */
  private static List<Integer> decodeTokens(int tokens) {
    if (tokens > DECODE_TOKENS_MAX) return List.of();
    int enough = DECODE_TOKENS_MIN;
    while (enough < tokens) enough *= 2;
    return enough == DECODE_TOKENS_MIN ? List.of(enough) : List.of(enough, enough / 2);
  }

  /**
   * Decode with any cut.
   *
   * @param ranges of a block of threads, up to 8
   * @param parts at most
   */
  static MatmulVariant decode(
      WeightType type, int rows, int columns, int tokens, int ofBlock, int ranges, int parts) {
    final MatmulShape family = MatmulShape.decode(type, rows, columns, tokens, ofBlock);
    final Cut cut = cut(type, columns, ranges, parts);
    final int slots = WARPS / cut.blockRanges;
    final int tilesOfWarp = ofBlock == DECODE_TOKENS_MIN ? 1 : 2;
    final int warps = cut.blockRanges * slots;
    final var shape =
        new MatmulShape(
            family.kernel().replace("_decode_", "_free_"),
            Math.ceilDiv(rows, MatmulShape.TILE_ROWS * tilesOfWarp * slots),
            family.gridY() * cut.parts,
            warps * 32,
            warps * ofBlock * MatmulShape.TILE_ROWS * Float.BYTES);
    return new MatmulVariant(shape, false, cut);
  }

  /**
   * Prefill with one chain of sums for each part.
   *
   * @param parts at most
   */
  static MatmulVariant prefill(WeightType type, int rows, int columns, int tokens, int parts) {
    final Cut cut = cut(type, columns, 1, parts);
    final MatmulShape family = MatmulShape.prefill(type, rows, columns, tokens);
    return new MatmulVariant(freed(family, "prefill", cut.parts), false, cut);
  }

  private static MatmulShape freed(MatmulShape family, String name, int parts) {
    return new MatmulShape(
        family.kernel().replace("_" + name, "_free_" + name),
        family.gridX() * parts,
        family.gridY(),
        family.threads(),
        family.sharedBytes());
  }

  private static Cut whole(WeightType type, int columns) {
    return cut(type, columns, 1, 1);
  }

  /** Ranges of whole units, none without a part that has some of it. */
  private static Cut cut(WeightType type, int columns, int ranges, int parts) {
    final int units = Math.ceilDiv(columns, MatmulShape.unitColumns(type));
    final int rangeUnits = Math.ceilDiv(units, ranges * parts);
    final int blockRanges = Math.min(ranges, Math.ceilDiv(units, rangeUnits));
    return new Cut(rangeUnits, blockRanges, Math.ceilDiv(units, rangeUnits * blockRanges));
  }
}
