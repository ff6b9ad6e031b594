package dev.stator.planner;

import dev.stator.protocol.StepSums;
import java.util.Optional;

/**
 * Seconds of an engine step, as a linear function of what it computes. Fitted by least squares to
 * all steps of all slots of a model: steps with prompts show the prices of their start and of a
 * prompt token, the others those of a sequence and of a block. No price is negative: a regressor
 * whose price would be is left out, which for so few is the whole of non-negative least squares
 * (Lawson and Hanson, Solving Least Squares Problems, chapter 23).
 *
 * @param base seconds of a step with nothing in it
 * @param perPrompts seconds more for any prompt tokens at all
 * @param perPromptToken seconds more for each prompt token
 * @param perSequence seconds more for each sequence that gets a token
 * @param perBlock seconds more for each block in use
 * @param chunk prompt tokens of a step that computes prompts, as the average token sees it
 */
public record StepTime(
    double base,
    double perPrompts,
    double perPromptToken,
    double perSequence,
    double perBlock,
    double chunk) {
  private static final int REGRESSORS = 5;
  private static final double RIDGE = 1e-6; // Of each regressor's own square; keeps it solvable.

  /** Seconds of one step. */
  public double seconds(double promptTokens, double sequences, double blocks) {
    final double prompts = promptTokens > 0 ? perPrompts : 0;
    return base
        + prompts
        + perPromptToken * promptTokens
        + perSequence * sequences
        + perBlock * blocks;
  }

  /** Prompt tokens a second of a slot that does nothing else. */
  public double prefillTokensPerSecond() {
    return chunk / seconds(chunk, 0, 0);
  }

  /**
   * @return empty as long as there are no prompt tokens or no chosen tokens to fit to
   */
  public static Optional<StepTime> fit(StepSums sums) {
    if (sums.p() <= 0 || sums.n() <= 0 || sums.y() <= 0) return Optional.empty();
    double[] best = null;
    double bestGain = Double.NEGATIVE_INFINITY;
    for (int mask = 1; mask < 1 << REGRESSORS; mask++) {
      final double[] solution = solve(sums, mask);
      if (solution == null) continue;
      final double gain = gain(sums, solution);
      if (gain > bestGain) {
        bestGain = gain;
        best = solution;
      }
    }
    if (best == null) return Optional.empty();
    final StepTime fitted =
        new StepTime(best[0], best[1], best[2], best[3], best[4], sums.pp() / sums.p());
    final double speed = fitted.prefillTokensPerSecond();
    return Double.isFinite(speed) && speed > 0 ? Optional.of(fitted) : Optional.empty();
  }

  /** How much of the squares' sum a solution explains. */
  private static double gain(StepSums sums, double[] x) {
    final double[][] a = squares(sums);
    final double[] y = products(sums);
    double gain = 0;
    for (int i = 0; i < REGRESSORS; i++) {
      gain += 2 * x[i] * y[i];
      for (int j = 0; j < REGRESSORS; j++) gain -= x[i] * a[i][j] * x[j];
    }
    return gain;
  }

  /** With the regressors of a mask only; {@code null} when a price is negative. */
  private static double[] solve(StepSums sums, int mask) {
    final double[][] a = squares(sums);
    final double[] y = products(sums);
    for (int i = 0; i < REGRESSORS; i++) {
      final boolean isIn = (mask >> i & 1) == 1;
      if (isIn && a[i][i] <= 0) return null;
      for (int j = 0; j < REGRESSORS; j++) if (!isIn && j != i) a[i][j] = a[j][i] = 0;
      if (!isIn) {
        a[i][i] = 1;
        y[i] = 0;
      } else {
        a[i][i] *= 1 + RIDGE;
      }
    }
    final double[] x = eliminate(a, y);
    for (double price : x) if (!(price >= 0) || Double.isInfinite(price)) return null;
    return x;
  }

  /** Gauss's; the matrix is positive definite, so no pivoting is needed. */
  private static double[] eliminate(double[][] a, double[] y) {
    for (int column = 0; column < REGRESSORS; column++) {
      for (int row = column + 1; row < REGRESSORS; row++) {
        final double factor = a[row][column] / a[column][column];
        for (int k = column; k < REGRESSORS; k++) a[row][k] -= factor * a[column][k];
        y[row] -= factor * y[column];
      }
    }
    final double[] x = new double[REGRESSORS];
    for (int row = REGRESSORS - 1; row >= 0; row--) {
      double rest = y[row];
      for (int k = row + 1; k < REGRESSORS; k++) rest -= a[row][k] * x[k];
      x[row] = rest / a[row][row];
    }
    return x;
  }

  private static double[][] squares(StepSums s) {
    return new double[][] {
      {s.steps(), s.q(), s.p(), s.n(), s.b()},
      {s.q(), s.q(), s.p(), s.qn(), s.qb()},
      {s.p(), s.p(), s.pp(), s.pn(), s.pb()},
      {s.n(), s.qn(), s.pn(), s.nn(), s.nb()},
      {s.b(), s.qb(), s.pb(), s.nb(), s.bb()}
    };
  }

  private static double[] products(StepSums s) {
    return new double[] {s.y(), s.qy(), s.py(), s.ny(), s.by()};
  }
}
