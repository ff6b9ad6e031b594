package dev.stator.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stator.device.Device;
import dev.stator.device.StepInput;
import dev.stator.device.StepOutput;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Sequences computed together, in random chunks and blocks, beside the same ones token by token.
 *
 * @param sequenceCount that run together
 * @param lengthMax tokens of a sequence
 * @param stepTokensMax tokens of a step
 * @param rounds how often all of them are computed
 */
public record Schedules(int sequenceCount, int lengthMax, int stepTokensMax, int rounds) {
  /** A sequence under way. */
  private static final class Run {
    private final int[] tokens;
    private final int[] blocks;
    private final float[][] expected;
    private int done;

    Run(int[] tokens, int[] blocks, float[][] expected) {
      this.tokens = tokens;
      this.blocks = blocks;
      this.expected = expected;
    }
  }

  private int blocksPerSequence() {
    return (lengthMax + 15) / 16;
  }

  /** Blocks that a device needs for all. */
  public int blockCount() {
    return sequenceCount * blocksPerSequence();
  }

  /**
   * Asserts that the logits are the same bits.
   *
   * @param alone computes token by token
   * @param together computes the schedules, with {@link #blockCount} blocks
   * @param poison fills its blocks with NaN
   */
  public <D extends Device> void check(
      Supplier<? extends Device> alone,
      Supplier<D> together,
      Consumer<D> poison,
      int vocabularySize,
      long seed) {
    final Random random = new Random(seed);
    final List<int[]> sequences = new ArrayList<>();
    for (int i = 0; i < sequenceCount; i++) {
      final int length = 1 + random.nextInt(lengthMax);
      sequences.add(random.ints(length, 0, vocabularySize).toArray());
    }
    final List<float[][]> expected = new ArrayList<>();
    try (Device device = alone.get()) {
      for (int[] tokens : sequences) expected.add(tokenByToken(device, tokens));
    }
    try (D device = together.get()) {
      for (int i = 0; i < rounds; i++) {
        poison.accept(device);
        runToTheEnd(device, runs(sequences, expected, random), random);
      }
    }
  }

  private List<Run> runs(List<int[]> sequences, List<float[][]> expected, Random random) {
    final List<Integer> blocks = new ArrayList<>();
    for (int b = 0; b < blockCount(); b++) blocks.add(b);
    Collections.shuffle(blocks, random);
    final List<Run> runs = new ArrayList<>();
    for (int s = 0; s < sequenceCount; s++) {
      final int[] own =
          blocks.subList(s * blocksPerSequence(), (s + 1) * blocksPerSequence()).stream()
              .mapToInt(Integer::intValue)
              .toArray();
      runs.add(new Run(sequences.get(s), own, expected.get(s)));
    }
    return runs;
  }

  /** The logits after each token, a step each. */
  public static float[][] tokenByToken(Device device, int[] tokens) {
    final float[][] logits = new float[tokens.length][];
    final int[] blocks = Sequences.blocks(0, tokens.length);
    for (int i = 0; i < tokens.length; i++) {
      logits[i] =
          device
              .run(new StepInput(List.of(new StepInput.Slice(tokens, i, 1, blocks, 1))))
              .logits(0, 0)
              .clone();
    }
    return logits;
  }

  /** Random chunks of random sequences, until all are done. */
  private void runToTheEnd(Device device, List<Run> all, Random random) {
    final List<Run> open = new ArrayList<>(all);
    while (!open.isEmpty()) {
      Collections.shuffle(open, random);
      final List<Run> scheduled = open.subList(0, 1 + random.nextInt(open.size()));
      final List<StepInput.Slice> slices = new ArrayList<>();
      int budget = stepTokensMax;
      for (Run run : scheduled) {
        final int chunkMax = random.nextBoolean() ? 1 : Math.max(1, budget / scheduled.size());
        final int count = Math.min(run.tokens.length - run.done, 1 + random.nextInt(chunkMax));
        slices.add(
            new StepInput.Slice(
                run.tokens, run.done, count, run.blocks, random.nextInt(Math.min(count, 8) + 1)));
        budget -= count;
      }
      final StepOutput output = device.run(new StepInput(slices));
      for (int i = 0; i < slices.size(); i++) {
        final Run run = scheduled.get(i);
        run.done += slices.get(i).tokenCount();
        final int rows = slices.get(i).logitsCount();
        for (int row = 0; row < rows; row++) {
          assertSameBits(run.expected[run.done - rows + row], output.logits(i, row));
        }
      }
      open.removeIf(run -> run.done == run.tokens.length);
    }
  }

  private static void assertSameBits(float[] expected, float[] actual) {
    assertEquals(expected.length, actual.length);
    for (int i = 0; i < expected.length; i++) {
      assertEquals(Float.floatToRawIntBits(expected[i]), Float.floatToRawIntBits(actual[i]));
    }
  }
}
