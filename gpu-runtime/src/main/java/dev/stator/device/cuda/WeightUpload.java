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
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

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
   * of rows, and all are stored the same way on the device.
   *
   * @throws ModelFormatException when a weight has a value that is not finite
   */
  CudaMatrix projection(List<WeightMatrix> parts) {
    final WeightType type = storedAs(parts.getFirst().type());
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

  /** How weights of a type are stored on the device; those without kernels are widened. */
  static WeightType storedAs(WeightType type) {
    return MatmulShape.hasKernels(type) ? type : WeightType.BF16;
  }

  private static String title(WeightType type) {
    return type + " weights";
  }

  /** Returns where the next part goes. */
  private long layOut(WeightMatrix part, WeightType type, long address) {
    final int columns = part.columnCount();
    final long rowBytes = type.byteSize(columns);
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

  /** The token embedding, in rows as in the file. */
  CudaMatrix embedding(WeightMatrix source, boolean isChecked) {
    if (!isChecked) check(source);
    final WeightType type = storedAs(source.type());
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
    if (type == source.type()) {
      final long rowBytes = type.byteSize(source.columnCount());
      MemorySegment.copy(source.data(), row * rowBytes, to, 0, count * rowBytes);
      return;
    }
    IntStream.range(0, count).parallel().forEach(i -> widen(source, row + i, to, i));
  }

  /** A type without kernels becomes bf16, rounded to nearest even. */
  private static void widen(WeightMatrix source, int row, MemorySegment to, int toRow) {
    final float[] values = WeightDecoder.row(source, row);
    final long at = (long) toRow * values.length * Short.BYTES;
    for (int i = 0; i < values.length; i++) {
      to.set(SHORT, at + (long) i * Short.BYTES, Bf16.of(values[i]));
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
