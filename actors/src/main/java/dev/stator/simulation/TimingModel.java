package dev.stator.simulation;

/**
 * How long a simulated engine takes: the timing of NVIDIA Dynamo's mocker (its
 * docs/design-docs/mocker-architecture.md), which its authors fitted to a GPU:
 *
 * <pre>
 *   prefill ms = 4.209989e-07 t^2 + 1.518344e-02 t + 16.50142     t prompt tokens of the step, 0 for none
 *   decode ms  = max(1, -25.74 p^2 + 54.01 p + 5.74)              p used share of the KV blocks
 * </pre>
 *
 * A step takes both together. Neither is linear, unlike what the planner fits to them.
 *
 * @param totalBlocks of a slot
 * @param blockSize tokens in a block
 * @param stepTokensMax tokens of one step, prompts' and answers' together
 * @param runningMax sequences that hold blocks at a slot
 * @param waitingTokensMax prompt tokens that a decode slot lets wait; more is refused
 * @param transferSecondsPerToken for the KV of a prompt token to reach another slot
 * @param slowdown of all steps; 1 for the mocker's own
 */
public record TimingModel(
    int totalBlocks,
    int blockSize,
    int stepTokensMax,
    int runningMax,
    long waitingTokensMax,
    double transferSecondsPerToken,
    double slowdown) {
  /** 128 KiB of KV a token (8 billion parameters, 8 KV heads) over 64 GB/s, 262,144 tokens. */
  public static final TimingModel MOCKER =
      new TimingModel(16_384, 16, 2_048, 256, 262_144, 2e-6, 1);

  /** Seconds of a step. */
  double stepSeconds(int promptTokens, int sequences, double usedBlocks) {
    final double t = promptTokens;
    final double prefillMs = t == 0 ? 0 : 4.209989e-07 * t * t + 1.518344e-02 * t + 16.50142;
    final double p = Math.min(1, usedBlocks / totalBlocks);
    final double decodeMs = sequences == 0 ? 0 : Math.max(1, -25.74 * p * p + 54.01 * p + 5.74);
    return slowdown * (prefillMs + decodeMs) / 1000;
  }
}
