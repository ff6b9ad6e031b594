package dev.stator.model.grammar;

/**
 * The rules that are open: where the innermost goes on when the one it called has ended, and those
 * around it. Equal stacks of an automaton are the same object.
 */
final class Stack {
  static final Stack BOTTOM = new Stack(0, -1, null);

  private final int number;
  private final int returnState;
  private final Stack below;
  private final int height;

  /**
   * @param number orders an automaton's stacks
   * @param returnState of the rule around
   * @param below {@code null} for the bottom, which has no state to return to
   */
  Stack(int number, int returnState, Stack below) {
    this.number = number;
    this.returnState = returnState;
    this.below = below;
    this.height = below == null ? 0 : below.height + 1;
  }

  int number() {
    return number;
  }

  int returnState() {
    return returnState;
  }

  Stack below() {
    return below;
  }

  int height() {
    return height;
  }

  boolean isBottom() {
    return below == null;
  }
}
