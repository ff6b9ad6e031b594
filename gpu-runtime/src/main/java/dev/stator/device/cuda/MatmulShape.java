package dev.stator.device.cuda;

import dev.stator.model.WeightType;

/**
 * How a kernel that reads weights is launched: the rules at the top of {@code matmul.cu}, {@code
 * repack.cu} and {@code embed.cu}. A matrix product gives a token the same bits whatever the shape,
 * so which one runs is a matter of speed alone.
 *
 * <p>Any thread.
 *
 * @param kernel its name in the module
 * @param threads of a block
 * @param sharedBytes dynamic shared memory of a block
 */
record MatmulShape(String kernel, int gridX, int gridY, int threads, int sharedBytes) {
  /** Tokens of the largest decode kernel; more go to prefill. */
  private static final int DECODE_TOKENS_MAX = 64;

  /** The same for matrices so tall that prefill's blocks of 128 rows busy a device. */
  private static final int TALL_DECODE_TOKENS_MAX = 32;

  private static final int TALL_ROWS = 16384;
  private static final int WARP = 32;
  static final int TILE_ROWS = 16;
  private static final int RANGE_COLUMNS = 256;
  private static final int RANGES_MAX = 8;
  static final int CHUNK_COLUMNS = 128;
  static final int COLUMNS_MULTIPLE = 32;
  private static final int PREFILL_ROWS = 128;
  private static final int PREFILL_TOKENS = 64;
  private static final int PREFILL_WARPS = 4;
  private static final int PREFILL_STAGES = 3;
  private static final int WGMMA_ROWS = 128;
  private static final int WGMMA_TOKENS = 256;
  private static final int WGMMA_WARPS = 12;
  private static final int WGMMA_STAGES = 8;
  private static final int WGMMA_STAGE_COLUMNS = 32;
  private static final int WGMMA_ALIGNMENT = 1024;
  private static final int WGMMA_SUM_BYTES = 96 << 10;
  private static final int WGMMA_BARRIER_BYTES = 192;

  /** Fewer waste more of a block's 256 than the faster instruction gains. */
  private static final int WGMMA_TOKENS_MIN = 192;

  /** From counted rates: 0.65 of the matrix units' by wgmma, 0.4 by mma. */
  private static final double WGMMA_BUSY_SHARE = 0.6;

  private static final int PACK_TOKENS = 16;
  private static final int MEMORY_THREADS = 256;

  /** A layout of {@code weights.h}: columns and bytes of one tile's unit. */
  private enum Layout {
    BF16("bf16", 128, 4096),
    Q8_0("q8_0", 128, 2176),
    Q4_K("q4_k", 256, 2304),
    Q6_K("q6_k", 256, 3360),
    F8_E4M3("f8_e4m3", 128, 2112);

    private final String kernels;
    private final int unitColumns;
    private final int unitBytes;

    Layout(String kernels, int unitColumns, int unitBytes) {
      this.kernels = kernels;
      this.unitColumns = unitColumns;
      this.unitBytes = unitBytes;
    }

    private static Layout of(WeightType type) {
      return switch (type) {
        case F32, F16, BF16 -> BF16;
        case Q8_0 -> Q8_0;
        case Q4_K -> Q4_K;
        case Q6_K -> Q6_K;
        case F8_E4M3 -> F8_E4M3;
        default -> throw new IllegalArgumentException("no CUDA kernels read " + type);
      };
    }
  }

  /** Whether kernels repack and multiply this type; others are widened to one of these. */
  static boolean hasKernels(WeightType type) {
    return type == WeightType.F8_E4M3 || embeds(type);
  }

  /** Whether a kernel reads embedding rows of this type. */
  static boolean embeds(WeightType type) {
    return switch (type) {
      case F32, F16, BF16, Q8_0, Q4_K, Q6_K -> true;
      default -> false;
    };
  }

  /**
   * Bytes of a row that {@code repack} reads: the model file's, but for F8_E4M3, whose chunks of
   * 128 codes lie behind a factor each.
   */
  static long rowBytes(WeightType type, int columns) {
    if (type != WeightType.F8_E4M3) return type.byteSize(columns);
    return (long) ceilDivide(columns, CHUNK_COLUMNS) * (Float.BYTES + CHUNK_COLUMNS);
  }

  /**
   * Bytes of a repacked matrix: rows padded to 16, columns to a unit. F32 and F16 weights are
   * rounded to bf16.
   *
   * @throws IllegalArgumentException when no kernels read the type, as from all that follow
   */
  static long repackedBytes(WeightType type, int rows, int columns) {
    final Layout layout = checkedLayout(type, rows, columns);
    final long units = ceilDivide(columns, layout.unitColumns);
    return ceilDivide(rows, TILE_ROWS) * units * layout.unitBytes;
  }

  /** {@code RepackParams}: rows in the model file's format to the device's layout. */
  static MatmulShape repack(WeightType type, int rows, int columns) {
    final Layout layout = checkedLayout(type, rows, columns);
    final int units = ceilDivide(columns, layout.unitColumns);
    return new MatmulShape(
        "repack_" + nameOf(type), units, ceilDivide(rows, TILE_ROWS), MEMORY_THREADS, 0);
  }

  /** {@code EmbedParams}: rows in the model file's format, not repacked. */
  static MatmulShape embed(WeightType type, int tokens) {
    if (!embeds(type)) throw new IllegalArgumentException("no CUDA kernel embeds " + type);
    return new MatmulShape("embed_" + nameOf(type), tokens, 1, MEMORY_THREADS, 0);
  }

  /** {@code MatmulParams}, by the kernel that suits {@code tokens}. */
  static MatmulShape product(WeightType type, int rows, int columns, int tokens) {
    final int decodeTokens = rows < TALL_ROWS ? DECODE_TOKENS_MAX : TALL_DECODE_TOKENS_MAX;
    if (tokens > decodeTokens) return prefill(type, rows, columns, tokens);
    int tokensOfBlock = 8;
    while (tokensOfBlock < tokens) tokensOfBlock *= 2;
    return decode(type, rows, columns, tokens, tokensOfBlock);
  }

  /**
   * The decode kernel for {@code tokensOfBlock} tokens a block.
   *
   * @param tokensOfBlock 8, 16, 32 or 64
   */
  static MatmulShape decode(WeightType type, int rows, int columns, int tokens, int tokensOfBlock) {
    final Layout layout = checkedLayout(type, rows, columns);
    requireCountable(columns, tokens);
    final int rangeColumns = ceilDivide(columns, RANGE_COLUMNS * RANGES_MAX) * RANGE_COLUMNS;
    final int ranges = ceilDivide(columns, rangeColumns);
    final int slots = RANGES_MAX / ranges;
    final int tilesOfWarp = tokensOfBlock == 8 ? 1 : 2;
    return new MatmulShape(
        "matmul_" + layout.kernels + "_decode_" + tokensOfBlock,
        ceilDivide(rows, TILE_ROWS * tilesOfWarp * slots),
        ceilDivide(tokens, tokensOfBlock),
        ranges * slots * WARP,
        ranges * slots * tokensOfBlock * TILE_ROWS * Float.BYTES);
  }

  /** The prefill kernel, for any number of tokens. */
  static MatmulShape prefill(WeightType type, int rows, int columns, int tokens) {
    final Layout layout = checkedLayout(type, rows, columns);
    requireCountable(columns, tokens);
    final int stageBytes = PREFILL_TOKENS * CHUNK_COLUMNS * Short.BYTES;
    return new MatmulShape(
        "matmul_" + layout.kernels + "_prefill",
        ceilDivide(tokens, PREFILL_TOKENS),
        ceilDivide(rows, PREFILL_ROWS),
        PREFILL_WARPS * WARP,
        PREFILL_STAGES * stageBytes + PREFILL_ROWS * PREFILL_TOKENS * Float.BYTES);
  }

  /**
   * {@code MatmulParams} with tiles: a product of each expert's matrix with its share of {@code
   * choices}, of {@code rows} an expert.
   */
  static MatmulShape expert(WeightType type, int rows, int columns, int choices, int experts) {
    final int tiles = tileCount(choices, experts);
    if (expectedTokens(choices, experts) > DECODE_TOKENS_MAX) {
      final MatmulShape shape = prefill(type, rows, columns, choices);
      return new MatmulShape(shape.kernel, tiles, shape.gridY, shape.threads, shape.sharedBytes);
    }
    final int tokens = tileTokens(choices, experts);
    final MatmulShape shape = decode(type, rows, columns, choices, tokens);
    return new MatmulShape(shape.kernel, shape.gridX, tiles, shape.threads, shape.sharedBytes);
  }

  /** Half more than each expert has in the mean, so that most need one tile. */
  private static int expectedTokens(int choices, int experts) {
    return ceilDivide(choices + choices / 2, experts);
  }

  /** Tokens of a tile. */
  static int tileTokens(int choices, int experts) {
    int tokens = 8;
    while (tokens < expectedTokens(choices, experts) && tokens < PREFILL_TOKENS) tokens *= 2;
    return tokens;
  }

  /** Tiles that are enough however choices are shared out: each expert's last may be short. */
  static int tileCount(int choices, int experts) {
    return choices / tileTokens(choices, experts) + Math.min(choices, experts);
  }

  /** Of any number of choices up to this one. */
  static int tilesMax(int choicesMax, int experts) {
    return choicesMax / 8 + experts;
  }

  /** Whether {@link #wgmma} suits so many tokens, where a matrix is large enough. */
  static boolean suitsWgmma(int tokens) {
    return tokens >= WGMMA_TOKENS_MIN;
  }

  /**
   * Whether {@link #wgmma} suits a product: fewer blocks, each on a multiprocessor of its own, than
   * a good half of these leave more idle than {@link #prefill}'s, of which there are four for one.
   */
  static boolean suitsWgmma(int rows, int tokens, int multiprocessorCount) {
    final int blocks = ceilDivide(rows, WGMMA_ROWS) * ceilDivide(tokens, WGMMA_TOKENS);
    return suitsWgmma(tokens) && blocks >= WGMMA_BUSY_SHARE * multiprocessorCount;
  }

  /** Bytes of activations as {@link #wgmma} takes them: tokens padded to 256, columns to 128. */
  static long packedBytes(int columns, int tokens) {
    final long tiles = (long) ceilDivide(tokens, WGMMA_TOKENS) * ceilDivide(columns, CHUNK_COLUMNS);
    return tiles * WGMMA_TOKENS * CHUNK_COLUMNS * Short.BYTES;
  }

  /** {@code PackParams}: activations as {@link #wgmma} takes them, for all matrices. */
  static MatmulShape pack(int columns, int tokens) {
    requireCountable(columns, tokens);
    return new MatmulShape(
        "pack_tokens",
        ceilDivide(columns, CHUNK_COLUMNS),
        ceilDivide(tokens, WGMMA_TOKENS) * (WGMMA_TOKENS / PACK_TOKENS),
        MEMORY_THREADS,
        0);
  }

  /**
   * The prefill kernel of compute capability 9.0, for any number of tokens, packed. Whether it
   * gives the bits of the others is the device's to say, see {@link WgmmaProbe}.
   */
  static MatmulShape wgmma(WeightType type, int rows, int columns, int tokens) {
    final Layout layout = checkedLayout(type, rows, columns);
    requireCountable(columns, tokens);
    final int stageBytes = WGMMA_TOKENS * WGMMA_STAGE_COLUMNS * Short.BYTES;
    return new MatmulShape(
        "matmul_" + layout.kernels + "_wgmma",
        ceilDivide(tokens, WGMMA_TOKENS),
        ceilDivide(rows, WGMMA_ROWS),
        WGMMA_WARPS * WARP,
        WGMMA_ALIGNMENT + WGMMA_STAGES * stageBytes + WGMMA_SUM_BYTES + WGMMA_BARRIER_BYTES);
  }

  /** Columns of a unit of the type's layout: ranges are whole units. */
  static int unitColumns(WeightType type) {
    return Layout.of(type).unitColumns;
  }

  private static Layout checkedLayout(WeightType type, int rows, int columns) {
    if (rows <= 0 || columns <= 0 || columns % COLUMNS_MULTIPLE != 0) {
      throw new IllegalArgumentException(
          "CUDA kernels take matrices whose columns are a multiple of "
              + COLUMNS_MULTIPLE
              + ", not "
              + rows
              + " x "
              + columns);
    }
    return Layout.of(type);
  }

  /**
   * @throws IllegalArgumentException when kernels, which count activations in 32 bits, cannot count
   *     so many
   */
  static void requireCountable(int columns, int tokens) {
    if (tokens <= 0 || (long) tokens * columns > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "CUDA kernels take up to 2^31 activations, not " + tokens + " x " + columns);
    }
  }

  private static String nameOf(WeightType type) {
    return switch (type) {
      case F32 -> "f32";
      case F16 -> "f16";
      default -> Layout.of(type).kernels;
    };
  }

  private static int ceilDivide(int a, int b) {
    return (a + b - 1) / b;
  }
}
