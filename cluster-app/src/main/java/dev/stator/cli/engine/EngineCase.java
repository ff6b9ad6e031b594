package dev.stator.cli.engine;

/** One thing that is measured, in tokens a second. */
public sealed interface EngineCase {
  /** A prompt of one sequence, in one step. */
  record Prefill(int tokens) implements EngineCase {
    @Override
    public String what() {
      return "prefill of " + tokens;
    }
  }

  /**
   * One token a sequence and step.
   *
   * @param sequences side by side, whose tokens count together
   * @param tokens of each sequence
   */
  record Decode(int sequences, int tokens) implements EngineCase {
    /** Tokens that each sequence has before. */
    static final int CONTEXT = 32;

    @Override
    public String what() {
      return sequences == 1 ? "decode" : "decode of " + sequences;
    }
  }

  /** One sequence that has a context of {@code context} tokens before. */
  record DecodeAt(int context, int tokens) implements EngineCase {
    @Override
    public String what() {
      return "decode at " + context;
    }
  }

  /** For the user. */
  String what();
}
