package dev.stator.model.file;

import dev.stator.model.ModelFormatException;
import dev.stator.model.WeightDecoder;
import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightScales;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Weights of 8-bit floats (e4m3) in safetensors files, and what lies beside each:
 *
 * <pre>
 *   NAME.weight            F8_E4M3 [rows][columns]
 *   NAME.weight_scale      or NAME.weight_scale_inv; a factor in either name, of F32, BF16 or F16, of the shape
 *                            [] or [1] or [1][1]                     for the whole weight
 *                            [rows] or [rows][1]                     for each row
 *                            [rows / 128][columns / 128], rounded up for each square of 128
 *   NAME.input_scale, NAME.activation_scale, ...k_scale, ...v_scale
 *                          of inputs, keys and values: not stored in 8 bits here, so they are left aside
 * </pre>
 *
 * Sources: the weight format that DeepSeek-V3 describes with its files, and what the
 * compressed-tensors and transformers libraries write.
 */
final class Fp8Tensors {
  static final String DTYPE = "F8_E4M3";

  private static final int SQUARE = 128;

  /** The largest value, 448, times it is finite in float32 and in bf16. */
  private static final float SCALE_MAX = 0x1p118f;

  private static final String WEIGHT = "weight";
  private static final List<String> SCALES = List.of("weight_scale_inv", "weight_scale");
  private static final List<String> UNUSED = List.of("input_scale", "activation_scale");
  private static final List<String> UNUSED_OF_ATTENTION = List.of(".k_scale", ".v_scale");
  private static final Set<String> COMPRESSED_FORMATS =
      Set.of("float-quantized", "naive-quantized");

  private Fp8Tensors() {}

  /**
   * The names without those that only serve a weight of 8-bit floats.
   *
   * @param weights of 8-bit floats
   */
  static Set<String> withoutCompanions(Set<String> names, Set<String> weights) {
    if (weights.isEmpty()) return names;
    return names.stream()
        .filter(name -> !isCompanion(name, weights))
        .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  private static boolean isCompanion(String name, Set<String> weights) {
    for (String suffix : UNUSED_OF_ATTENTION) if (name.endsWith(suffix)) return true;
    final String role = name.substring(name.lastIndexOf('.') + 1);
    return (SCALES.contains(role) || UNUSED.contains(role))
        && weights.contains(base(name) + WEIGHT);
  }

  private static String base(String name) {
    return name.substring(0, name.lastIndexOf('.') + 1);
  }

  /**
   * The factors of a weight.
   *
   * @throws ModelFormatException when there are none, or of another shape, or one is negative or
   *     not a number
   */
  static WeightScales scales(TensorSource source, String name, int rows, int columns) {
    final String scale =
        SCALES.stream()
            .map(role -> base(name) + role)
            .filter(source::has)
            .findFirst()
            .orElseThrow(() ->
                new ModelFormatException(
                    "its values are 8-bit floats, but it has neither %s nor %s beside it"
                        .formatted(SCALES.get(1), SCALES.get(0))));
    final WeightMatrix matrix = source.matrix(scale);
    if (matrix.scales() != null) {
      throw new ModelFormatException("its scale %s is of 8-bit floats".formatted(scale));
    }
    final float[] factors = WeightDecoder.all(matrix);
    for (float factor : factors) {
      if (!(factor >= 0 && factor <= SCALE_MAX)) {
        throw new ModelFormatException(
            "its scale %s holds %s, expected numbers from 0 to 2^118".formatted(scale, factor));
      }
    }
    return ofShape(matrix, factors, rows, columns);
  }

  private static WeightScales ofShape(WeightMatrix scale, float[] factors, int rows, int columns) {
    if (factors.length == 1) return WeightScales.ofTensor(factors[0]);
    if (factors.length == rows && (scale.rowCount() == 1 || scale.columnCount() == 1)) {
      return WeightScales.ofRows(factors);
    }
    final int squareRows = Math.ceilDiv(rows, SQUARE);
    final int squareColumns = Math.ceilDiv(columns, SQUARE);
    if (scale.rowCount() == squareRows && scale.columnCount() == squareColumns) {
      return WeightScales.ofSquares(factors, SQUARE, columns);
    }
    throw new ModelFormatException(
        "its scale is %d x %d, expected one value, one for each of %d rows, or %d x %d of them"
            .formatted(scale.rowCount(), scale.columnCount(), rows, squareRows, squareColumns));
  }

  /**
   * Checks what {@code config.json} says of quantized weights.
   *
   * @throws ModelFormatException unless they are 8-bit floats as above
   */
  static void requireReadable(JsonFields quantization) {
    final String method = quantization.string("quant_method").orElse("an unnamed method");
    final boolean isReadable =
        switch (method) {
          case "fp8" -> quantization.string("fmt").orElse("e4m3").equals("e4m3");
          case "compressed-tensors" ->
              COMPRESSED_FORMATS.contains(quantization.string("format").orElse(""));
          default -> false;
        };
    if (!isReadable) {
      throw new ModelFormatException(
          "the weights are quantized by %s, expected plain BF16, F16 or F32, or fp8 of e4m3"
              .formatted(Messages.quoted(method)));
    }
    requireSquares(quantization, "weight_block_size");
    for (var group : quantization.object().path("config_groups").properties()) {
      requireFloats(new JsonFields(group.getValue()));
    }
  }

  private static void requireFloats(JsonFields group) {
    final JsonFields weights = group.object("weights").orElse(null);
    if (weights == null) return;
    if (!weights.string("type").orElse("").equals("float")
        || weights.int32("num_bits").orElse(0) != 8) {
      throw new ModelFormatException(
          "config_groups has weights of %s, %d bits, expected float, 8 bits"
              .formatted(
                  Messages.quoted(weights.string("type").orElse("no type")),
                  weights.int32("num_bits").orElse(0)));
    }
    requireSquares(weights, "block_structure");
  }

  private static void requireSquares(JsonFields fields, String key) {
    final var size = fields.object().path(key);
    if (size.isMissingNode() || size.isNull()) return;
    if (size.size() != 2 || size.get(0).asInt() != SQUARE || size.get(1).asInt() != SQUARE) {
      throw new ModelFormatException(
          "%s is %s, expected [%d,%d]"
              .formatted(key, Messages.oneLine(size.toString()), SQUARE, SQUARE));
    }
  }
}
