package dev.stator.model;

import java.lang.foreign.MemorySegment;

/**
 * A weight as it lies in its file: {@code rowCount} rows of {@code columnCount} values, row-major.
 * A projection maps {@code columnCount} inputs to {@code rowCount} outputs; a vector (norm, bias)
 * is one row.
 *
 * @param scales factors of the stored values; {@code null} but for {@link WeightType#F8_E4M3}
 * @param data exactly the weight's bytes, little-endian, read-only, aligned to nothing, valid while
 *     its {@link LoadedModel} is open
 */
public record WeightMatrix(
    String name,
    WeightType type,
    int rowCount,
    int columnCount,
    WeightScales scales,
    MemorySegment data) {
  /** A weight of a type that needs no scales. */
  public WeightMatrix(
      String name, WeightType type, int rowCount, int columnCount, MemorySegment data) {
    this(name, type, rowCount, columnCount, null, data);
  }

  /**
   * @throws ModelFormatException when {@code data} has not the size that type and shape ask for
   * @throws IllegalArgumentException when scales are there and not needed, or the reverse
   */
  public WeightMatrix {
    if ((scales != null) != (type == WeightType.F8_E4M3)) {
      throw new IllegalArgumentException(
          "tensor " + name + " of " + type + (scales == null ? " has no scales" : " has scales"));
    }
    if (rowCount <= 0 || columnCount <= 0) {
      throw new ModelFormatException(
          "tensor " + name + " has shape " + rowCount + " x " + columnCount);
    }
    final long expected = Math.multiplyExact(type.byteSize(columnCount), (long) rowCount);
    if (data.byteSize() != expected) {
      throw new ModelFormatException(
          "tensor " + name + " has " + data.byteSize() + " bytes, its shape needs " + expected);
    }
  }

  /**
   * The weight, if it has this shape.
   *
   * @throws ModelFormatException when it has another, or is {@code null}
   */
  public static WeightMatrix requireShape(WeightMatrix source, int rows, int columns) {
    if (source == null) {
      throw new ModelFormatException("a weight of " + rows + " x " + columns + " is missing");
    }
    if (source.rowCount != rows || source.columnCount != columns) {
      throw new ModelFormatException(
          "tensor %s is %d x %d, the model's shape asks for %d x %d"
              .formatted(source.name, source.rowCount, source.columnCount, rows, columns));
    }
    return source;
  }

  /** The bytes of one row. */
  public MemorySegment row(int rowIndex) {
    final long rowBytes = type.byteSize(columnCount);
    return data.asSlice(rowIndex * rowBytes, rowBytes);
  }

  /** The first rows, in the same memory. */
  public WeightMatrix firstRows(int count) {
    return count == rowCount ? this : rows(0, count);
  }

  /** Rows {@code [from, from + count)}, in the same memory. */
  public WeightMatrix rows(int from, int count) {
    final long rowBytes = type.byteSize(columnCount);
    return new WeightMatrix(
        name,
        type,
        count,
        columnCount,
        scales == null ? null : scales.from(from),
        data.asSlice(from * rowBytes, count * rowBytes));
  }
}
