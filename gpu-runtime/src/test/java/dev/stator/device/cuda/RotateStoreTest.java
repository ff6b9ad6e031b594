package dev.stator.device.cuda;

import static dev.stator.device.cuda.Values.assertBf16;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stator.kv.KvLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RotateStoreTest {
  private static final int BLOCK = 16;
  private static final int THREADS = 128;
  private static final int POOL_BLOCKS = 9;
  private static final int LAYERS = 3;
  private static final int LAYER = 1;
  private static final float EPSILON = 1e-6f;
  private static final short UNTOUCHED = -1; // What room() is full of.

  private final DeviceArrays device = new DeviceArrays(CudaTests.open());

  @AfterEach
  void release() {
    device.close();
  }

  /** Heads and how they are rotated. */
  private record Shape(
      int heads,
      int kvHeads,
      int headSize,
      int rotatedSize,
      boolean isInterleaved,
      boolean hasNorms) {
    int rowSize() {
      return (heads + 2 * kvHeads) * headSize;
    }

    KvLayout layout() {
      return new KvLayout(LAYERS, kvHeads, headSize, KvLayout.KvType.BF16, BLOCK);
    }
  }

  /** A token of a step. */
  private record Token(int position, int tableStart) {}

  /** Tables and weights that all steps share, on the host and on the device. */
  private final class Model {
    private final Shape shape;
    private final float[] cosines;
    private final float[] sines;
    private final float[] queryNorm;
    private final float[] keyNorm;
    private final int[] blockTable;

    private Model(Shape shape, int positions, Random random) {
      this.shape = shape;
      final int pairs = shape.rotatedSize / 2;
      cosines = new float[positions * pairs];
      sines = new float[positions * pairs];
      for (int i = 0; i < cosines.length; i++) {
        final double angle = i / pairs * Math.pow(1e4, -(double) (i % pairs) / pairs);
        cosines[i] = (float) Math.cos(angle);
        sines[i] = (float) Math.sin(angle);
      }
      queryNorm = Values.gaussian(random, shape.headSize);
      keyNorm = Values.gaussian(random, shape.headSize);
      blockTable = Values.shuffled(random, POOL_BLOCKS);
    }

    /** A head of a row in float64, as it goes into attention. */
    private double[] rotated(float[] x, int from, float[] norm, int position) {
      double sum = 0;
      for (int i = 0; i < shape.headSize; i++) sum += (double) x[from + i] * x[from + i];
      final double scale = 1 / Math.sqrt(sum / shape.headSize + EPSILON);
      final double[] head = new double[shape.headSize];
      for (int i = 0; i < shape.headSize; i++) {
        head[i] = shape.hasNorms ? x[from + i] * scale * norm[i] : x[from + i];
      }
      final int pairs = shape.rotatedSize / 2;
      for (int i = 0; i < pairs; i++) {
        final int first = shape.isInterleaved ? 2 * i : i;
        final int second = shape.isInterleaved ? 2 * i + 1 : i + pairs;
        final double a = head[first];
        final double b = head[second];
        head[first] = a * cosines[position * pairs + i] - b * sines[position * pairs + i];
        head[second] = b * cosines[position * pairs + i] + a * sines[position * pairs + i];
      }
      return head;
    }
  }

  /** What a launch leaves behind. */
  private record Outcome(short[] query, short[] pool) {}

  private Outcome run(Model model, float[] x, List<Token> tokens) {
    final Shape shape = model.shape;
    final KvLayout layout = shape.layout();
    final int queryCount = tokens.size() * shape.heads * shape.headSize;
    final int poolCount = (int) (POOL_BLOCKS * layout.blockBytes() / 2);
    final long rows = device.floats(x);
    final long cosines = device.floats(model.cosines);
    final long sines = device.floats(model.sines);
    final long queryNorm = shape.hasNorms ? device.floats(model.queryNorm) : 0;
    final long keyNorm = shape.hasNorms ? device.floats(model.keyNorm) : 0;
    final long positions = device.ints(tokens.stream().mapToInt(Token::position).toArray());
    final long starts = device.ints(tokens.stream().mapToInt(Token::tableStart).toArray());
    final long table = device.ints(model.blockTable);
    final long query = device.room(2L * queryCount);
    final long pool = device.room(2L * poolCount);
    device.launch(
        "rotate_store",
        tokens.size(),
        Math.ceilDiv(shape.heads + 2 * shape.kvHeads, 4),
        THREADS,
        0,
        params ->
            params
                .address(rows)
                .address(cosines)
                .address(sines)
                .address(queryNorm)
                .address(keyNorm)
                .address(positions)
                .address(starts)
                .address(table)
                .address(query)
                .address(pool)
                .int32(shape.heads)
                .int32(shape.kvHeads)
                .int32(shape.headSize)
                .int32(shape.rotatedSize)
                .int32(shape.isInterleaved ? 1 : 0)
                .int32((int) layout.blockBytes())
                .int32((int) layout.keyOffset(LAYER, 0))
                .float32(EPSILON));
    return new Outcome(device.readHalves(query, queryCount), device.readHalves(pool, poolCount));
  }

  /** Three sequences: 20 tokens from position 14 on, one at 0, one at 47; in no order. */
  private static List<Token> raggedStep(Random random) {
    final List<Token> tokens = new ArrayList<>();
    for (int i = 0; i < 20; i++) tokens.add(new Token(14 + i, 0));
    tokens.add(new Token(0, 3));
    tokens.add(new Token(47, 4));
    Collections.shuffle(tokens, random);
    return tokens;
  }

  @ParameterizedTest
  @CsvSource({
    "4, 2, 64, 64, false, false",
    "3, 1, 64, 64, true, true",
    "8, 1, 128, 128, false, true",
    "2, 2, 80, 32, false, false",
    "5, 1, 96, 90, true, false",
    "1, 1, 16, 16, false, true",
  })
  void shouldRotateQueriesAndStoreKeysAndValues(
      int heads, int kvHeads, int headSize, int rotatedSize, boolean isInterleaved, boolean norms) {
    final Random random = new Random(headSize + heads);
    final Shape shape = new Shape(heads, kvHeads, headSize, rotatedSize, isInterleaved, norms);
    final Model model = new Model(shape, 48, random);
    final List<Token> tokens = raggedStep(random);
    final float[] x = Values.gaussian(random, tokens.size() * shape.rowSize());
    final Outcome outcome = run(model, x, tokens);
    for (int row = 0; row < tokens.size(); row++) {
      for (int head = 0; head < heads; head++) {
        final int from = row * shape.rowSize() + head * headSize;
        final double[] q = model.rotated(x, from, model.queryNorm, tokens.get(row).position);
        for (int d = 0; d < headSize; d++) {
          assertBf16(
              q[d], outcome.query[(row * heads + head) * headSize + d], 1e-6, "query " + row);
        }
      }
      checkStored(model, x, row, tokens.get(row), outcome.pool);
    }
    for (short left : outcome.pool) assertEquals(UNTOUCHED, left, "what no token owns");
  }

  /** Checks a token's keys and values, and takes them out of the pool. */
  private static void checkStored(Model model, float[] x, int row, Token token, short[] pool) {
    final Shape shape = model.shape;
    final KvLayout layout = shape.layout();
    final int block = model.blockTable[token.tableStart + token.position / BLOCK];
    final int slot = token.position % BLOCK;
    for (int head = 0; head < shape.kvHeads; head++) {
      final int fromKey = row * shape.rowSize() + (shape.heads + head) * shape.headSize;
      final int fromValue = fromKey + shape.kvHeads * shape.headSize;
      final double[] key = model.rotated(x, fromKey, model.keyNorm, token.position);
      final int keys = (int) (block * layout.blockBytes() + layout.keyOffset(LAYER, head)) / 2;
      final int values = (int) (block * layout.blockBytes() + layout.valueOffset(LAYER, head)) / 2;
      for (int d = 0; d < shape.headSize; d++) {
        assertBf16(key[d], pool[keys + d * BLOCK + slot], 1e-6, "key of row " + row);
        assertBf16(x[fromValue + d], pool[values + slot * shape.headSize + d], 0, "value");
        pool[keys + d * BLOCK + slot] = UNTOUCHED;
        pool[values + slot * shape.headSize + d] = UNTOUCHED;
      }
    }
  }

  @Test
  void shouldGiveATokenTheSameBitsAloneAndInABatch() {
    final Random random = new Random(5);
    final Shape shape = new Shape(4, 2, 64, 64, false, true);
    final Model model = new Model(shape, 48, random);
    final List<Token> tokens = raggedStep(random);
    final float[] x = Values.gaussian(random, tokens.size() * shape.rowSize());
    final Outcome batch = run(model, x, tokens);
    final short[] pool = new short[batch.pool.length];
    Arrays.fill(pool, UNTOUCHED);
    final int querySize = shape.heads * shape.headSize;
    for (int row = 0; row < tokens.size(); row++) {
      final float[] own = Arrays.copyOfRange(x, row * shape.rowSize(), (row + 1) * shape.rowSize());
      final Outcome alone = run(model, own, List.of(tokens.get(row)));
      assertArrayEquals(
          Arrays.copyOfRange(batch.query, row * querySize, (row + 1) * querySize), alone.query);
      for (int i = 0; i < pool.length; i++) {
        if (alone.pool[i] != UNTOUCHED) pool[i] = alone.pool[i];
      }
    }
    assertArrayEquals(batch.pool, pool);
  }
}
