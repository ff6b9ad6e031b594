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
    final double length = empty ? 0 : Math.ceil(((double) stop - start) / step);
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
