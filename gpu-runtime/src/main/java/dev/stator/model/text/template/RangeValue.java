package dev.stator.model.text.template;

/**
 * A range. Computes its elements.
 *
 * @param step not 0
 */
record RangeValue(long start, long stop, long step, int length) implements Sequence {
  /** The sandbox's own limit. */
  private static final long LENGTH_MAX = 100_000;

  static RangeValue of(long start, long stop, long step) {
    if (step == 0) {
      throw new TemplateFault("range() needs a step that is not 0");
    }
    final boolean empty = step > 0 ? start >= stop : start <= stop;
    final long distance = step > 0 ? stop - start : start - stop; // Negative where it overflows.
    final long stride = step == Long.MIN_VALUE ? Long.MAX_VALUE : Math.abs(step);
    final long length = empty ? 0 : distance < 0 ? Long.MAX_VALUE : (distance - 1) / stride + 1;
    if (length > LENGTH_MAX) {
      throw new TemplateFault("range() makes more than " + LENGTH_MAX + " numbers");
    }
    return new RangeValue(start, stop, step, (int) length);
  }

  @Override
  public Object get(int index) {
    return start + index * step;
  }
}
