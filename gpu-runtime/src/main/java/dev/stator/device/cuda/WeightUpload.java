package dev.stator.device.cuda;

import dev.stator.device.Fingerprint;
import dev.stator.model.ModelFormatException;
import dev.stator.model.WeightDecoder;
import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightScan;
import dev.stator.model.WeightType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Brings weights from the model's file to the device: checks and hashes them on the way, and has
 * the device lay projections out as its kernels want them.
 *
 * <p><b>Threads:</b> the driver's; checks and hashes run on the common pool. <b>Ownership:</b> of
 * the memory that weights pass through, until {@link #close}; what they lie in is the {@link
 * DeviceMemory}'s.
 */
final class WeightUpload implements AutoCloseable {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Kernels multiply factors of 8-bit floats by 2^120, and no real one is as large as this. */
  private static final float FP8_SCALE_END = 128;

  /** Rows of a piece that is checked and hashed at a time. */
  private static final int PIECE_ROWS = 64;

  private final Driver driver;
  private final Kernels kernels;
  private final DeviceMemory memory;
  private final Staging staging;
  private final Fingerprint fingerprint;
  private final long raw; // Rows as in the file, before they are laid out.

  WeightUpload(
      Driver driver,
      Driver.Stream stream,
      Kernels kernels,
      DeviceMemory memory,
      long stagingBytes,
      Fingerprint fingerprint) {
    this.driver = driver;
    this.kernels = kernels;
    this.memory = memory;
    this.staging = new Staging(driver, stream, stagingBytes);
    this.fingerprint = fingerprint;
    this.raw = driver.allocate(staging.capacity());
  }

  /**
   * A projection of the rows of all parts, one behind the other. All but the last have whole tiles
   * of rows. Those that would not be stored the same way on the device are widened to bf16.
   *
   * @throws ModelFormatException when a weight has a value that is not finite
   */
  CudaMatrix projection(List<WeightMatrix> parts) {
    final WeightType type = storedAs(parts);
    final int columns = parts.getFirst().columnCount();
    int rows = 0;
    for (WeightMatrix part : parts) rows += part.rowCount();
    final long address = memory.take(title(type), MatmulShape.repackedBytes(type, rows, columns));
    long to = address;
    for (WeightMatrix part : parts) {
      check(part);
      to = layOut(part, type, to);
    }
    return new CudaMatrix(address, type, rows, columns);
  }

  /** As {@link #projection}, of equally many rows for each expert. */
  CudaMatrix experts(List<WeightMatrix> parts, int experts) {
    final CudaMatrix all = projection(parts);
    return new CudaMatrix(all.address(), all.type(), all.rows() / experts, all.columns());
  }

  /** How a projection is stored on the device; one of a type without kernels is widened. */
  static WeightType storedAs(WeightMatrix source) {
    final boolean isTooLarge = source.scales() != null && source.scales().max() >= FP8_SCALE_END;
    return MatmulShape.hasKernels(source.type()) && !isTooLarge ? source.type() : WeightType.BF16;
  }

  private static WeightType storedAs(List<WeightMatrix> parts) {
    final WeightType type = storedAs(parts.getFirst());
    final boolean isOne = parts.stream().allMatch(part -> storedAs(part) == type);
    return isOne ? type : WeightType.BF16;
  }

  private static String title(WeightType type) {
    return type + " weights";
  }

  /** Returns where the next part goes. */
  private long layOut(WeightMatrix part, WeightType type, long address) {
    final int columns = part.columnCount();
    final long rowBytes = MatmulShape.rowBytes(type, columns);
    final int chunkRows = chunkRows(part, rowBytes);
    long to = address;
    for (int row = 0; row < part.rowCount(); row += chunkRows) {
      final int count = Math.min(chunkRows, part.rowCount() - row);
      stage(part, row, count, type);
      staging.send(raw, count * rowBytes);
      kernels.repack(type, raw, to, count, columns);
      to += MatmulShape.repackedBytes(type, count, columns);
    }
    release(part);
    return to;
  }

  /** Whole tiles of rows. */
  private int chunkRows(WeightMatrix part, long rowBytes) {
    final long rows = staging.capacity() / rowBytes / MatmulShape.TILE_ROWS * MatmulShape.TILE_ROWS;
    if (rows == 0) {
      throw new IllegalArgumentException(
          "stator.device.cuda.staging-bytes is "
              + 2 * staging.capacity()
              + ", tensor "
              + part.name()
              + " needs "
              + 2 * MatmulShape.TILE_ROWS * rowBytes);
    }
    return (int) Math.min(rows, part.rowCount());
  }

  /** How the token embedding is stored on the device. */
  static WeightType embeddedAs(WeightType type) {
    return MatmulShape.embeds(type) ? type : WeightType.BF16;
  }

  /** The token embedding, in rows as in the file. */
  CudaMatrix embedding(WeightMatrix source, boolean isChecked) {
    if (!isChecked) check(source);
    final WeightType type = embeddedAs(source.type());
    final int columns = source.columnCount();
    final long rowBytes = type.byteSize(columns);
    final long address = memory.take("token embedding, " + type, rowBytes * source.rowCount());
    final int chunkRows = chunkRows(source, rowBytes);
    for (int row = 0; row < source.rowCount(); row += chunkRows) {
      final int count = Math.min(chunkRows, source.rowCount() - row);
      stage(source, row, count, type);
      staging.send(address + row * rowBytes, count * rowBytes);
    }
    release(source);
    return new CudaMatrix(address, type, source.rowCount(), columns);
  }

  /** A norm's weights or a bias, float32. */
  long vector(float[] values) {
    final long bytes = (long) values.length * Float.BYTES;
    final long address = memory.take("norms and biases", bytes);
    MemorySegment.copy(values, 0, staging.next(), FLOAT, 0, values.length);
    staging.send(address, bytes);
    return address;
  }

  /** The values of a checked vector. */
  float[] values(WeightMatrix source) {
    check(source);
    return WeightDecoder.row(source, 0);
  }

  private void check(WeightMatrix source) {
    final int number = fingerprint.add(source, PIECE_ROWS);
    IntStream.range(0, Math.ceilDiv(source.rowCount(), PIECE_ROWS))
        .parallel()
        .forEach(piece -> {
          final int row = piece * PIECE_ROWS;
          fingerprint.hash(number, piece);
          WeightScan.requireFinite(source, row, Math.min(source.rowCount(), row + PIECE_ROWS));
        });
  }

  private void stage(WeightMatrix source, int row, int count, WeightType type) {
    final MemorySegment to = staging.next();
    if (type == WeightType.F8_E4M3) {
      final long rowBytes = MatmulShape.rowBytes(type, source.columnCount());
      IntStream.range(0, count)
          .parallel()
          .forEach(i -> stageFp8(source, row + i, to, i * rowBytes));
      return;
    }
    if (type == source.type()) {
      final long rowBytes = type.byteSize(source.columnCount());
      MemorySegment.copy(source.data(), row * rowBytes, to, 0, count * rowBytes);
      return;
    }
    final long rowBytes = type.byteSize(source.columnCount());
    IntStream.range(0, count)
        .parallel()
        .forEach(i -> WeightDecoder.rowAsBf16(source, row + i, to, i * rowBytes));
  }

  /** Chunks of a row's codes, each behind its factor, as {@code formats.h} has it. */
  static void stageFp8(WeightMatrix source, int row, MemorySegment to, long toOffset) {
    final int columns = source.columnCount();
    final MemorySegment codes = source.row(row);
    long at = toOffset;
    for (int k = 0; k < columns; k += MatmulShape.CHUNK_COLUMNS) {
      final int count = Math.min(MatmulShape.CHUNK_COLUMNS, columns - k);
      to.set(FLOAT, at, source.scales().of(row, k));
      MemorySegment.copy(codes, k, to, at + Float.BYTES, count);
      to.asSlice(at + Float.BYTES + count, MatmulShape.CHUNK_COLUMNS - count).fill((byte) 0);
      at += Float.BYTES + MatmulShape.CHUNK_COLUMNS;
    }
  }

  private static void release(WeightMatrix source) {
    if (source.data().isMapped()) source.data().unload();
  }

  @Override
  public void close() {
    staging.close();
    driver.free(raw);
  }
}
