package dev.stator.model.grammar;

/**
 * All that is possible behind an answer's beginning: states that can read a byte, each with its
 * stack. Equal ones of an automaton are the same object. The automaton's thread only.
 */
final class Configuration {
  final int[] states;
  final Stack[] stacks;

  /** Whether the text may end here. */
  final boolean isComplete;

  /** Whether nothing has been read, and a space that comes first is not the text's. */
  final boolean skipsSpace;

  /** When the automaton was emptied last; one of an earlier time is no longer its own. */
  final int generation;

  /** By class of byte; {@code null} where it has not been asked for. */
  final Configuration[] next;

  /** A bit a token; {@code null} until it is asked for. */
  long[] mask;

  Configuration(
      int[] states,
      Stack[] stacks,
      boolean isComplete,
      boolean skipsSpace,
      int generation,
      int classCount) {
    this.states = states;
    this.stacks = stacks;
    this.isComplete = isComplete;
    this.skipsSpace = skipsSpace;
    this.generation = generation;
    this.next = new Configuration[classCount];
  }

  /** Whether some byte may follow. */
  boolean goesOn() {
    return states.length > 0;
  }
}
