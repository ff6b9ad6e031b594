package dev.stator.device.simulated;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stator.device.Device;
import dev.stator.device.StepInput;
import dev.stator.device.StepOutput;
import dev.stator.kv.KvLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class TokenDeviceTest {
  private static final int VOCABULARY = 30;
  private static final int END = 29;
  private static final KvLayout WIDE = new KvLayout(2, 2, 3, KvLayout.KvType.F32, 4);
  private static final int[] TOKENS = {5, 4, 3, 2, 1, 7, 8, 9, 10, 11};
  private static final int[] BLOCKS = {2, 0, 3};

  @Test
  void shouldComputeTheSameLogitsWhenCutDifferently() {
    final float[] whole = logits(TOKENS, BLOCKS, 10);
    assertArrayEquals(whole, logits(TOKENS, BLOCKS, 1, 3, 6));
    assertArrayEquals(whole, logits(TOKENS, new int[] {1, 3, 2}, 4, 6));
  }

  @Test
  void shouldComputeOtherLogitsWhenAnyTokenDiffers() {
    final float[] whole = logits(TOKENS, BLOCKS, 10);
    for (int i = 0; i < TOKENS.length; i++) {
      final int[] tokens = TOKENS.clone();
      tokens[i]++;
      assertFalse(Arrays.equals(whole, logits(tokens, BLOCKS, 10)), "token " + i);
    }
  }

  /** A copy that misses any part of a block must show. */
  @Test
  void shouldComputeOtherLogitsWhenAnyValueOfABlockDiffers() {
    try (SimulatedDevice device = new SimulatedDevice(WIDE, 4, VOCABULARY, 20)) {
      run(device, TOKENS, BLOCKS, 0, 8, 0);
      final float[] whole = run(device, TOKENS, BLOCKS, 8, 2, 1).logits(0, 0).clone();
      final MemorySegment block = device.block(BLOCKS[1]);
      for (long offset = 0; offset < block.byteSize(); offset++) {
        final byte value = block.get(ValueLayout.JAVA_BYTE, offset);
        block.set(ValueLayout.JAVA_BYTE, offset, (byte) (value ^ 1));
        final float[] changed = run(device, TOKENS, BLOCKS, 8, 2, 1).logits(0, 0);
        assertFalse(Arrays.equals(whole, changed), "byte " + offset);
        block.set(ValueLayout.JAVA_BYTE, offset, value);
      }
      assertArrayEquals(whole, run(device, TOKENS, BLOCKS, 8, 2, 1).logits(0, 0));
    }
  }

  @Test
  void shouldComputeOtherLogitsWhenBlocksAreSwapped() {
    try (SimulatedDevice device = new SimulatedDevice(4, 4, VOCABULARY, 20)) {
      final int[] same = {1, 2, 3, 4, 1, 2, 3, 4, 5};
      run(device, same, BLOCKS, 0, 8, 0);
      final float[] whole = run(device, same, BLOCKS, 8, 1, 1).logits(0, 0).clone();
      final int[] swapped = {BLOCKS[1], BLOCKS[0], BLOCKS[2]};
      assertFalse(Arrays.equals(whole, run(device, same, swapped, 8, 1, 1).logits(0, 0)));
    }
  }

  @Test
  void shouldRefuseLogitsThatWereNotWanted() {
    try (SimulatedDevice device = new SimulatedDevice(4, 4, VOCABULARY, 20)) {
      final StepOutput output = run(device, TOKENS, BLOCKS, 0, 3, 0);
      assertThrows(IllegalArgumentException.class, () -> output.logits(0, 0));
      final int[] long21 = new int[21];
      assertThrows(IllegalArgumentException.class, () -> run(device, long21, BLOCKS, 20, 1, 0));
      assertEquals(4 * 4 * 4 * 2, device.memoryPlan().totalBytes());
    }
  }

  @Test
  void shouldGiveTheLogitsOfAsManyLastTokensAsAreWanted() {
    try (SimulatedDevice device = new SimulatedDevice(4, 4, VOCABULARY, 20)) {
      run(device, TOKENS, BLOCKS, 0, 6, 0);
      final float[][] each = new float[3][];
      for (int i = 0; i < 3; i++) {
        each[i] = run(device, TOKENS, BLOCKS, 6 + i, 1, 1).logits(0, 0).clone();
      }
      final StepOutput output = run(device, TOKENS, BLOCKS, 5, 4, 3);
      for (int i = 0; i < 3; i++) assertArrayEquals(each[i], output.logits(0, i));
      assertThrows(IllegalArgumentException.class, () -> output.logits(0, 3));
    }
  }

  @Test
  void shouldEchoThePromptAndEnd() {
    assertArrayEquals(new int[] {5, 6, 5, 7, END}, echo(new int[] {5, 6, 5, 7}));
    assertArrayEquals(new int[] {8, END}, echo(new int[] {8}));
    assertArrayEquals(new int[] {1, 2, 2, 2, 2, END}, echo(new int[] {1, 2, 2, 2, 2}));
  }

  private static int[] echo(int[] prompt) {
    try (EchoDevice device = new EchoDevice(8, 4, VOCABULARY, 20, END)) {
      int[] tokens = prompt;
      int computed = 0;
      while (true) {
        final int[] blocks = {0, 1, 2, 3, 4};
        final float[] logits =
            run(device, tokens, blocks, computed, tokens.length - computed, 1).logits(0, 0);
        computed = tokens.length;
        tokens = Arrays.copyOf(tokens, computed + 1);
        for (int i = 0; i < VOCABULARY; i++) {
          if (logits[i] > logits[tokens[computed]]) tokens[computed] = i;
        }
        if (tokens[computed] == END) return Arrays.copyOfRange(tokens, prompt.length, computed + 1);
      }
    }
  }

  private static float[] logits(int[] tokens, int[] blocks, int... cuts) {
    try (SimulatedDevice device = new SimulatedDevice(WIDE, 4, VOCABULARY, 20)) {
      int start = 0;
      for (int i = 0; i < cuts.length - 1; i++) {
        run(device, tokens, blocks, start, cuts[i], 0);
        start += cuts[i];
      }
      return run(device, tokens, blocks, start, cuts[cuts.length - 1], 1).logits(0, 0).clone();
    }
  }

  private static StepOutput run(
      Device device, int[] tokens, int[] blocks, int start, int count, int logitsCount) {
    return device.run(
        new StepInput(List.of(new StepInput.Slice(tokens, start, count, blocks, logitsCount))));
  }
}
