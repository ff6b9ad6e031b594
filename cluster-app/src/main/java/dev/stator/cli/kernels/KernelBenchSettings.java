package dev.stator.cli.kernels;

import dev.stator.cli.UsageException;
import dev.stator.model.WeightType;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What is measured.
 *
 * @param threads that share each multiplication
 * @param rows outputs of the matrix
 * @param columns inputs of the matrix
 * @param rounds in each of which every family has its turn
 */
public record KernelBenchSettings(
    List<WeightType> types, int threads, int rows, int columns, int rounds) {
  /** Rows of inputs that the matrix is multiplied by: of one token, of batches, of a prompt. */
  static final List<Integer> TOKENS = List.of(1, 8, 32, 512);

  private static final Pattern SHAPE = Pattern.compile("(\\d{1,7})x(\\d{1,7})");
  private static final long VALUES_MAX = 1L << 31;
  private static final int THREADS_MAX = 1024;
  private static final int ROUNDS_MAX = 1000;

  public KernelBenchSettings {
    types = List.copyOf(types);
    require(!types.isEmpty(), "--type wants at least one weight type");
    require(
        threads >= 1 && threads <= THREADS_MAX,
        "--threads must be between 1 and " + THREADS_MAX + ": " + threads);
    require(
        rounds >= 1 && rounds <= ROUNDS_MAX,
        "--rounds must be between 1 and " + ROUNDS_MAX + ": " + rounds);
    require(
        rows >= 1 && columns >= 1 && (long) rows * columns <= VALUES_MAX,
        "--shape must have 1 to " + VALUES_MAX + " values: " + rows + "x" + columns);
    for (WeightType type : types) {
      require(
          columns % type.blockLength() == 0,
          "--shape wants columns in blocks of %d for %s: %d"
              .formatted(type.blockLength(), type, columns));
    }
  }

  /**
   * From words of the command line.
   *
   * @param shape {@code ROWSxCOLUMNS}
   */
  public static KernelBenchSettings parse(
      List<String> types, int threads, String shape, int rounds) {
    final Matcher matcher = SHAPE.matcher(shape);
    require(matcher.matches(), "--shape wants ROWSxCOLUMNS such as 16384x8192: '" + shape + "'");
    return new KernelBenchSettings(
        types.stream().map(KernelBenchSettings::type).toList(),
        threads,
        Integer.parseInt(matcher.group(1)),
        Integer.parseInt(matcher.group(2)),
        rounds);
  }

  private static WeightType type(String name) {
    return Arrays.stream(WeightType.values())
        .filter(type -> type.name().equals(name.toUpperCase(Locale.ROOT)))
        .findFirst()
        .orElseThrow(() ->
            new UsageException(
                "--type must be of " + Arrays.toString(WeightType.values()) + ": '" + name + "'"));
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) throw new UsageException(otherwise);
  }
}
