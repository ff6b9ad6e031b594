package dev.stator.protocol;

/**
 * What a linear model of a step's seconds is fitted from: the sums of a least squares problem with
 * the regressors prompt tokens (p), sequences that chose a token (n), and blocks in use (b). Sums
 * of several intervals or workers add up.
 *
 * @param steps that computed something
 * @param p sum of p; two letters are the sum of a product, and y stands for seconds
 */
public record StepSums(
    double steps,
    double p,
    double n,
    double b,
    double y,
    double pp,
    double pn,
    double pb,
    double nn,
    double nb,
    double bb,
    double py,
    double ny,
    double by) {
  public static final StepSums NONE = new StepSums(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

  /** One step. */
  public static StepSums of(double promptTokens, double sequences, double blocks, double seconds) {
    return new StepSums(
        1,
        promptTokens,
        sequences,
        blocks,
        seconds,
        promptTokens * promptTokens,
        promptTokens * sequences,
        promptTokens * blocks,
        sequences * sequences,
        sequences * blocks,
        blocks * blocks,
        promptTokens * seconds,
        sequences * seconds,
        blocks * seconds);
  }

  public StepSums plus(StepSums other) {
    return plus(other, 1);
  }

  public StepSums minus(StepSums other) {
    return plus(other, -1);
  }

  public StepSums times(double factor) {
    return NONE.plus(this, factor);
  }

  private StepSums plus(StepSums o, double f) {
    return new StepSums(
        steps + f * o.steps,
        p + f * o.p,
        n + f * o.n,
        b + f * o.b,
        y + f * o.y,
        pp + f * o.pp,
        pn + f * o.pn,
        pb + f * o.pb,
        nn + f * o.nn,
        nb + f * o.nb,
        bb + f * o.bb,
        py + f * o.py,
        ny + f * o.ny,
        by + f * o.by);
  }
}
