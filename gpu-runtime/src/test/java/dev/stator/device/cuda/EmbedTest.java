package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.stator.model.WeightDecoder;
import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightType;
import dev.stator.testing.RandomWeights;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Rows of the embedding, to the bit. */
class EmbedTest {
  private static final int VOCABULARY = 50;

  private final DeviceArrays device = new DeviceArrays(CudaTests.open());

  @AfterEach
  void release() {
    device.close();
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F16", "BF16", "Q8_0", "Q4_K", "Q6_K"})
  void shouldDecodeTheRowsOfTheTokens(WeightType type) {
    final Random random = new Random(type.ordinal());
    final int hidden = type.blockLength() == 256 ? 768 : 288;
    final float scale = random.nextBoolean() ? 1 : 16.97f;
    final WeightMatrix matrix =
        RandomWeights.matrix("embedding", type, VOCABULARY, hidden, 1, random);
    final int[] tokens = random.ints(1 + random.nextInt(9), 0, VOCABULARY).toArray();
    final long weights = device.bytes(matrix.data());
    final long ids = device.ints(tokens);
    final long x = device.room(4L * tokens.length * hidden);
    final MatmulShape shape = MatmulShape.embed(type, tokens.length);
    device.launch(
        shape.kernel(),
        shape.gridX(),
        shape.gridY(),
        shape.threads(),
        shape.sharedBytes(),
        params -> params.address(weights).address(ids).address(x).int32(hidden).float32(scale));
    final float[] out = device.readFloats(x, tokens.length * hidden);
    for (int i = 0; i < tokens.length; i++) {
      final float[] expected = WeightDecoder.row(matrix, tokens[i]);
      for (int column = 0; column < hidden; column++) expected[column] *= scale;
      assertArrayEquals(expected, Arrays.copyOfRange(out, i * hidden, (i + 1) * hidden));
    }
  }
}
