package dev.stator.device.cpu;

import dev.stator.model.FeedForwardVariant;
import dev.stator.model.ModelConfig;
import java.util.Arrays;

/**
 * A mixture of experts. For one token, as one scalar program:
 *
 * <pre>
 *   l = router(x); chosen = the usedCount largest l, the lower index first among equals
 *   e[i] = exp(l[i] - max(l)); share[i] = e[i] / (sum of e over the chosen, or over all, by index)
 *   y[i] = down[i](activation(gate[i](x)) * up[i](x))
 *   acc = 0; for i in chosen, by index: acc = fma(share[i], y[i], acc)
 *   acc = fma(1 / (1 + exp(-sharedGate(x))), shared(x), acc)                         where there is a shared expert
 * </pre>
 *
 * <p>Tokens of a step are gathered expert by expert, so that an expert's weights are read once for
 * all of its tokens; which tokens share them changes no bit, because no product of {@link
 * PackedMatrix} depends on its neighbours.
 *
 * <p><b>Threads:</b> one calls {@link #run}; the pool's share the work.
 */
final class ExpertLayer implements Projections.Groups {
  private final FeedForwardVariant.Experts shape;
  private final int hidden;
  private final Projections projections;
  private final RowTasks rows;

  private final float[] router; // One row a token: logits, then exponentials.
  private final int[] chosen; // Experts of a token, rising.
  private final float[] share;
  private final int[] slot; // Where a choice's row lies among the rows gathered by expert.
  private final int[] nextSlot;

  // The experts that any token has chosen, and the rows gathered for them.
  private final int[] active;
  private final int[] activeStart;
  private int activeCount;
  private PackedWeights.Experts weights;

  private final float[] gathered;
  private final float[] gated;
  private final float[] outputs;
  private final float[] sharedGated;
  private final float[] sharedOutputs;
  private final float[] sharedGates;

  /** Rows of a step, shared out over the pool. */
  interface RowTasks {
    void run(int rowCount, RowWork work);
  }

  interface RowWork {
    void run(int row);
  }

  ExpertLayer(ModelConfig config, int tokensMax, Projections projections, RowTasks rows) {
    shape = config.feedForward().experts();
    hidden = config.hiddenSize();
    this.projections = projections;
    this.rows = rows;
    final int choices = tokensMax * shape.usedCount();
    router = new float[tokensMax * shape.count()];
    chosen = new int[choices];
    share = new float[choices];
    slot = new int[choices];
    nextSlot = new int[shape.count()];
    active = new int[shape.count()];
    activeStart = new int[shape.count() + 1];
    gathered = new float[choices * hidden];
    gated = new float[choices * shape.intermediateSize()];
    outputs = new float[choices * hidden];
    final int sharedTokens = shape.sharedSize() == 0 ? 0 : tokensMax;
    sharedGated = new float[sharedTokens * shape.sharedSize()];
    sharedOutputs = new float[sharedTokens * hidden];
    sharedGates = new float[sharedTokens];
  }

  /** Writes the mixture's output of each row of {@code x} to {@code to}, which may be {@code x}. */
  void run(PackedWeights.Experts layer, float[] x, int rowCount, float[] to) {
    weights = layer;
    projections.run(x, rowCount, projections.store(layer.router(), router, null));
    rows.run(rowCount, this::choose);
    layOut(rowCount);
    rows.run(rowCount, row -> gather(x, row));
    projections.runGatedGroups(gathered, this, gated);
    projections.runDownGroups(gated, this, outputs);
    if (layer.shared() != null) runShared(layer, x, rowCount);
    rows.run(rowCount, row -> combine(row, to));
  }

  private void runShared(PackedWeights.Experts layer, float[] x, int rowCount) {
    final PackedWeights.Expert shared = layer.shared();
    projections.run(x, rowCount, projections.store(layer.sharedGate(), sharedGates, null));
    projections.runGated(x, rowCount, shared.gate(), shared.up(), sharedGated);
    projections.run(sharedGated, rowCount, projections.store(shared.down(), sharedOutputs, null));
  }

  private void choose(int row) {
    final int logits = row * shape.count();
    final int choices = row * shape.usedCount();
    float max = Float.NEGATIVE_INFINITY;
    for (int e = 0; e < shape.count(); e++) max = Math.max(max, router[logits + e]);
    for (int i = 0; i < shape.usedCount(); i++) insert(choices, i, next(logits, choices, i));
    for (int e = 0; e < shape.count(); e++) {
      router[logits + e] = FloatMath.exp(router[logits + e] - max);
    }
    float sum = 0;
    if (shape.renormalises()) {
      for (int i = 0; i < shape.usedCount(); i++) sum += router[logits + chosen[choices + i]];
    } else {
      for (int e = 0; e < shape.count(); e++) sum += router[logits + e];
    }
    for (int i = 0; i < shape.usedCount(); i++) {
      share[choices + i] = router[logits + chosen[choices + i]] / sum;
    }
  }

  /** The expert of the largest logit among those that are not among the first {@code count}. */
  private int next(int logits, int choices, int count) {
    int best = -1;
    int i = 0;
    for (int e = 0; e < shape.count(); e++) {
      if (i < count && chosen[choices + i] == e) i++;
      else if (best < 0 || router[logits + e] > router[logits + best]) best = e;
    }
    return best;
  }

  /** Keeps the choices of a row rising. */
  private void insert(int choices, int count, int expert) {
    int at = choices + count;
    for (; at > choices && chosen[at - 1] > expert; at--) chosen[at] = chosen[at - 1];
    chosen[at] = expert;
  }

  /** Gives each choice a slot: expert after expert, within an expert row after row. */
  private void layOut(int rowCount) {
    final int choices = rowCount * shape.usedCount();
    Arrays.fill(nextSlot, 0);
    for (int i = 0; i < choices; i++) nextSlot[chosen[i]]++;
    activeCount = 0;
    int start = 0;
    for (int e = 0; e < shape.count(); e++) {
      final int count = nextSlot[e];
      nextSlot[e] = start;
      if (count == 0) continue;
      active[activeCount] = e;
      activeStart[activeCount++] = start;
      start += count;
    }
    activeStart[activeCount] = start;
    for (int i = 0; i < choices; i++) slot[i] = nextSlot[chosen[i]]++;
  }

  private void gather(float[] x, int row) {
    for (int i = 0; i < shape.usedCount(); i++) {
      final int to = slot[row * shape.usedCount() + i] * hidden;
      System.arraycopy(x, row * hidden, gathered, to, hidden);
    }
  }

  private void combine(int row, float[] to) {
    final int choices = row * shape.usedCount();
    final int at = row * hidden;
    Arrays.fill(to, at, at + hidden, 0f);
    for (int i = 0; i < shape.usedCount(); i++) {
      final int from = slot[choices + i] * hidden;
      ScalarKernels.addScaled(share[choices + i], outputs, from, to, at, hidden);
    }
    if (weights.shared() == null) return;
    final float sharedShare = FloatMath.sigmoid(sharedGates[row]);
    ScalarKernels.addScaled(sharedShare, sharedOutputs, at, to, at, hidden);
  }

  @Override
  public int count() {
    return activeCount;
  }

  @Override
  public int start(int group) {
    return activeStart[group];
  }

  @Override
  public PackedMatrix gate(int group) {
    return weights.experts().get(active[group]).gate();
  }

  @Override
  public PackedMatrix up(int group) {
    return weights.experts().get(active[group]).up();
  }

  @Override
  public PackedMatrix down(int group) {
    return weights.experts().get(active[group]).down();
  }

  long bytes() {
    return 4L
        * (router.length
            + 3L * chosen.length
            + gathered.length
            + gated.length
            + outputs.length
            + sharedGated.length
            + sharedOutputs.length
            + sharedGates.length);
  }
}
