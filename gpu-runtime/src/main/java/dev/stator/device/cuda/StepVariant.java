package dev.stator.device.cuda;

/**
 * Which kernels compute a step in a measurement, as an engine may choose them that does not promise
 * the same bytes. Nothing that serves has another than {@link #FIXED}.
 *
 * @param split positions of attention's splits, a multiple of 64; 0 for the fixed ones, decode's
 *     and prefill's
 * @param products {@code null} for the family's
 * @param normThreads of a row's norm, 512 or 1024; 0 for the fixed ones
 */
record StepVariant(int split, MatmulVariant.Choice products, int normThreads) {
  static final StepVariant FIXED = new StepVariant(0, null, 0);

  /** The same with these splits. */
  StepVariant withSplit(int positions) {
    return new StepVariant(positions, products, normThreads);
  }
}
