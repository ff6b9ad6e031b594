package dev.stator.model.file;

import dev.stator.model.ModelFormatException;
import dev.stator.model.WeightType;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Types of GGUF tensors: those that can be computed with, and those that are known well enough to
 * name them and to check where they lie.
 *
 * <p>Source of numbers and sizes: {@code ggml.h} and {@code ggml-common.h} of the ggml project.
 */
enum GgmlType {
  F32(0, WeightType.F32),
  F16(1, WeightType.F16),
  Q4_0(2, WeightType.Q4_0),
  Q4_1(3, WeightType.Q4_1),
  Q5_0(6, WeightType.Q5_0),
  Q5_1(7, WeightType.Q5_1),
  Q8_0(8, WeightType.Q8_0),
  Q8_1(9, 32, 36),
  Q2_K(10, WeightType.Q2_K),
  Q3_K(11, WeightType.Q3_K),
  Q4_K(12, WeightType.Q4_K),
  Q5_K(13, WeightType.Q5_K),
  Q6_K(14, WeightType.Q6_K),
  Q8_K(15, 256, 292),
  IQ2_XXS(16, 256, 66),
  IQ2_XS(17, 256, 74),
  IQ3_XXS(18, 256, 98),
  IQ1_S(19, 256, 50),
  IQ4_NL(20, WeightType.IQ4_NL),
  IQ3_S(21, 256, 110),
  IQ2_S(22, 256, 82),
  IQ4_XS(23, 256, 136),
  I8(24, 1, 1),
  I16(25, 1, 2),
  I32(26, 1, 4),
  I64(27, 1, 8),
  F64(28, 1, 8),
  IQ1_M(29, 256, 56),
  BF16(30, WeightType.BF16),
  TQ1_0(34, 256, 54),
  TQ2_0(35, 256, 66),
  MXFP4(39, 32, 17);

  private static final Map<Integer, GgmlType> BY_NUMBER = new HashMap<>();

  static {
    for (GgmlType type : values()) BY_NUMBER.put(type.number, type);
  }

  private final int number;
  private final int blockLength;
  private final int blockBytes;
  private final WeightType weightType;

  GgmlType(int number, WeightType weightType) {
    this.number = number;
    this.blockLength = weightType.blockLength();
    this.blockBytes = weightType.blockBytes();
    this.weightType = weightType;
  }

  GgmlType(int number, int blockLength, int blockBytes) {
    this.number = number;
    this.blockLength = blockLength;
    this.blockBytes = blockBytes;
    this.weightType = null;
  }

  static GgmlType of(int number) {
    final GgmlType type = BY_NUMBER.get(number);
    if (type == null) {
      throw new ModelFormatException(
          "unknown tensor type "
              + Integer.toUnsignedString(number)
              + ", supported are "
              + supported());
    }
    return type;
  }

  /** The types that can be computed with, for messages. */
  static String supported() {
    return Arrays.stream(WeightType.values())
        .filter(type -> Arrays.stream(values()).anyMatch(own -> own.weightType == type))
        .map(Enum::name)
        .collect(Collectors.joining(", "));
  }

  int number() {
    return number;
  }

  int blockLength() {
    return blockLength;
  }

  int blockBytes() {
    return blockBytes;
  }

  /**
   * @throws ModelFormatException when no kernel computes with this type
   */
  WeightType weightType() {
    if (weightType == null) {
      throw new ModelFormatException(
          "type " + this + " is not supported; supported are " + supported());
    }
    return weightType;
  }
}
