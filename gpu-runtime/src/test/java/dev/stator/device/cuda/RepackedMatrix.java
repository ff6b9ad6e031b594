package dev.stator.device.cuda;

import dev.stator.model.WeightDecoder;
import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.function.UnaryOperator;

/** A matrix in a device's memory, repacked by its kernels, and products with it. */
final class RepackedMatrix {
  private final DeviceArrays device;
  private final WeightMatrix matrix;
  private final long weights;

  /** One product's epilogue. */
  record Epilogue(float[] bias, float[] addedTo, int outStride) {
    static Epilogue none(int rows) {
      return new Epilogue(null, null, rows);
    }
  }

  RepackedMatrix(DeviceArrays device, WeightMatrix matrix) {
    this.device = device;
    this.matrix = matrix;
    weights = device.room(bytes());
    repackTo(weights);
  }

  CudaMatrix onDevice() {
    return new CudaMatrix(weights, matrix.type(), matrix.rowCount(), matrix.columnCount());
  }

  long bytes() {
    return MatmulShape.repackedBytes(matrix.type(), matrix.rowCount(), matrix.columnCount());
  }

  void repackTo(long to) {
    final int rows = matrix.rowCount();
    final int columns = matrix.columnCount();
    final long from = device.bytes(matrix.scales() == null ? matrix.data() : staged());
    launch(
        MatmulShape.repack(matrix.type(), rows, columns),
        params -> params.address(from).address(to).int32(rows).int32(columns));
  }

  private MemorySegment staged() {
    final long rowBytes = MatmulShape.rowBytes(matrix.type(), matrix.columnCount());
    final var to = MemorySegment.ofArray(new byte[(int) (matrix.rowCount() * rowBytes)]);
    for (int i = 0; i < matrix.rowCount(); i++) WeightUpload.stageFp8(matrix, i, to, i * rowBytes);
    return to;
  }

  MatmulShape decode(int tokens, int tokensOfBlock) {
    return MatmulShape.decode(
        matrix.type(), matrix.rowCount(), matrix.columnCount(), tokens, tokensOfBlock);
  }

  MatmulShape prefill(int tokens) {
    return MatmulShape.prefill(matrix.type(), matrix.rowCount(), matrix.columnCount(), tokens);
  }

  MatmulShape product(int tokens) {
    return MatmulShape.product(matrix.type(), matrix.rowCount(), matrix.columnCount(), tokens);
  }

  /** {@code [tokens][rows]} of {@code x[tokens][columns]}, bf16. */
  float[] multiply(MatmulShape shape, short[] x) {
    return multiply(shape, x, Epilogue.none(matrix.rowCount()));
  }

  /** {@code [tokens][outStride]}; NaN where nothing was written. */
  float[] multiply(MatmulShape shape, short[] x, Epilogue epilogue) {
    return multiply(shape, device.halves(x), x.length / matrix.columnCount(), epilogue);
  }

  /** The same by compute capability 9.0's own kernel. */
  float[] multiplyPacked(short[] x, Epilogue epilogue) {
    final int columns = matrix.columnCount();
    final int tokens = x.length / columns;
    final long inputs = device.halves(x);
    final long packed = device.room(MatmulShape.packedBytes(columns, tokens));
    launch(
        MatmulShape.pack(columns, tokens),
        params -> params.address(inputs).address(packed).int32(columns).int32(tokens));
    final var shape = MatmulShape.wgmma(matrix.type(), matrix.rowCount(), columns, tokens);
    return multiply(shape, packed, tokens, epilogue);
  }

  private float[] multiply(MatmulShape shape, long inputs, int tokens, Epilogue epilogue) {
    final int count = tokens * epilogue.outStride;
    final long bias = epilogue.bias == null ? 0 : device.floats(epilogue.bias);
    final long out =
        epilogue.addedTo == null ? device.room(4L * count) : device.floats(epilogue.addedTo);
    launch(
        shape,
        params ->
            params
                .address(weights)
                .address(inputs)
                .address(bias)
                .address(out)
                .address(0)
                .address(0)
                .int32(matrix.rowCount())
                .int32(matrix.columnCount())
                .int32(tokens)
                .int32(epilogue.outStride)
                .int32(epilogue.addedTo == null ? 0 : 1));
    return device.readFloats(out, count);
  }

  private void launch(MatmulShape shape, UnaryOperator<KernelParams> params) {
    device.launch(
        shape.kernel(), shape.gridX(), shape.gridY(), shape.threads(), shape.sharedBytes(), params);
  }

  /** The weights that products are made of, as {@code weights.h} defines them. */
  static float[] dequantized(WeightMatrix matrix, int row) {
    if (matrix.type() == WeightType.Q4_K) return dequantizedQ4K(matrix.row(row));
    final float[] values = WeightDecoder.row(matrix, row);
    for (int i = 0; i < values.length; i++) values[i] = bf16(values[i]);
    return values;
  }

  private static float[] dequantizedQ4K(MemorySegment row) {
    final int blocks = (int) (row.byteSize() / WeightType.Q4_K.blockBytes());
    final float[] values = new float[blocks * 256];
    for (int i = 0; i < values.length; i++) {
      final long block = i / 256 * (long) WeightType.Q4_K.blockBytes();
      final int group = i % 256 / 32;
      final double scale = half(row, block) * WeightDecoder.groupScale(row, block + 4, group);
      final double minimum = half(row, block + 2) * WeightDecoder.groupMin(row, block + 4, group);
      final int both = row.get(ValueLayout.JAVA_BYTE, block + 16 + group / 2 * 32 + i % 32) & 0xFF;
      final int q = both >> (4 * (group % 2)) & 0xF;
      // The offset is rounded to float32 on the way.
      final float offset = bf16((float) (8 * scale - minimum));
      values[i] = bf16((q - 8) * (double) bf16(scale) + offset);
    }
    return values;
  }

  private static double half(MemorySegment data, long offset) {
    return Float.float16ToFloat(data.get(ValueLayout.JAVA_SHORT_UNALIGNED, offset));
  }

  /** To nearest, ties to even, in one rounding. */
  static float bf16(double value) {
    final float nearest = (float) value;
    int bits = Float.floatToRawIntBits(nearest);
    if (nearest != value && (bits & 1) == 0) bits += Math.abs(value) > Math.abs(nearest) ? 1 : -1;
    return Float.intBitsToFloat((bits + 0x7FFF + (bits >>> 16 & 1)) & 0xFFFF0000);
  }

  static short[] bf16Bits(float... values) {
    final short[] bits = new short[values.length];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = (short) (Float.floatToRawIntBits(bf16(values[i])) >>> 16);
    }
    return bits;
  }

  static float bf16Value(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }

  static int[] bits(float... values) {
    final int[] bits = new int[values.length];
    Arrays.setAll(bits, i -> Float.floatToRawIntBits(values[i]));
    return bits;
  }
}
