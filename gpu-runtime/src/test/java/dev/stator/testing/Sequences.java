package dev.stator.testing;

import dev.stator.device.Device;
import dev.stator.device.StepInput;
import java.util.Arrays;
import java.util.List;

/** One sequence on a device: prefill in chunks, greedy decoding. */
public final class Sequences {
  private Sequences() {}

  /** Blocks {@code first, first + 1, ...} for {@code length} tokens. */
  public static int[] blocks(int first, int length) {
    final int[] blocks = new int[(length + 15) / 16];
    for (int i = 0; i < blocks.length; i++) blocks[i] = first + i;
    return blocks;
  }

  /** The logits after all tokens, computed in steps of at most {@code chunk}. */
  public static float[] prefill(Device device, int[] tokens, int[] blocks, int chunk) {
    float[] logits = null;
    for (int start = 0; start < tokens.length; start += chunk) {
      final int count = Math.min(chunk, tokens.length - start);
      final boolean isLast = start + count == tokens.length;
      final var output =
          device.run(
              new StepInput(
                  List.of(new StepInput.Slice(tokens, start, count, blocks, isLast ? 1 : 0))));
      if (isLast) logits = output.logits(0, 0);
    }
    return logits;
  }

  /**
   * The likeliest {@code count} tokens one after another, prompt not included; stops after {@code
   * end}.
   */
  public static int[] greedy(Device device, int[] prompt, int count, int end) {
    final int[] tokens = Arrays.copyOf(prompt, prompt.length + count);
    final int[] blocks = blocks(0, tokens.length);
    float[] logits = prefill(device, prompt, blocks, 512);
    for (int length = prompt.length; ; ) {
      tokens[length++] = argmax(logits);
      if (length == tokens.length || tokens[length - 1] == end) {
        return Arrays.copyOfRange(tokens, prompt.length, length);
      }
      final var slice = new StepInput.Slice(tokens, length - 1, 1, blocks, 1);
      logits = device.run(new StepInput(List.of(slice))).logits(0, 0);
    }
  }

  public static int argmax(float[] values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
    return best;
  }
}
