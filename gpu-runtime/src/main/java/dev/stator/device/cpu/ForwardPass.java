package dev.stator.device.cpu;

import dev.stator.device.StepInput;
import dev.stator.device.StepPlan;
import dev.stator.model.AttentionVariant;
import dev.stator.model.ModelConfig;
import dev.stator.model.RopeScaling;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/**
 * One step through all layers. Rows are tokens; every operation computes a row from that row and
 * its sequence's KV blocks alone.
 *
 * <pre>
 *   x = embedding (times a scale)
 *   each layer:  q, k, v = projections(rmsNorm(x)) + biases; head norms; rotation; k, v to their blocks
 *                x += attentionOutput(attention(q))
 *                x += down(silu(gate(rmsNorm(x))) * up(rmsNorm(x))), or a mixture of experts
 *   logits = outputHead(rmsNorm(x)), or rmsNorm(x) is pooled:
 *                of the wanted rows; the last layer computes no others beyond k and v
 * </pre>
 *
 * <p>With post-norms, {@code x += rmsNorm(...)} in place of {@code x += ...}.
 *
 * <p><b>Threads:</b> one calls {@link #run}; the pool's share the work.
 */
final class ForwardPass {
  /** Rows of an element-wise task. */
  private static final int ROWS_PER_TASK = 4;

  private final ModelConfig config;
  private final KernelChoice choice;
  private final PackedWeights weights;
  private final KvCache cache;
  private final Rotation rotation;
  private final Rotation windowRotation; // Of layers with a sliding window; often the same.
  private final Attention attention;
  private final Inputs inputs;
  private final Projections projections;
  private final WorkerPool pool;
  private final Scratch[] scratch;
  private final StepPlan plan;

  // Activations, one row a token.
  private final float[] x;
  private final float[] normed;
  private final float[] query;
  private final float[] key;
  private final float[] value;
  private final float[] attended;
  private final float[] gated;
  private final ExpertLayer experts; // Null in dense models.
  private float[][] logits = {};

  ForwardPass(
      ModelConfig config,
      PackedWeights weights,
      KvCache cache,
      Attention.Factory attention,
      WorkerPool pool,
      int tokensMax,
      int contextLength,
      Inputs inputs,
      KernelChoice choice) {
    this.inputs = inputs;
    this.choice = choice;
    this.config = config;
    this.weights = weights;
    this.cache = cache;
    this.pool = pool;
    rotation = new Rotation(config, contextLength);
    final AttentionVariant.Window window = config.attention().window();
    windowRotation =
        window == null || window.ropeTheta() == 0
            ? rotation
            : new Rotation(config, window.ropeTheta(), new RopeScaling.None(), contextLength);
    scratch = new Scratch[pool.threadCount()];
    for (int i = 0; i < scratch.length; i++)
      scratch[i] = new Scratch(tokensMax, contextLength, config.headSize());
    this.attention = attention.create(scratch);
    projections = new Projections(pool, scratch, inputs, choice, config.feedForward().activation());
    plan = new StepPlan(tokensMax);
    x = new float[tokensMax * config.hiddenSize()];
    normed = new float[tokensMax * config.hiddenSize()];
    query = new float[tokensMax * config.querySize()];
    key = new float[tokensMax * config.keyValueSize()];
    value = new float[tokensMax * config.keyValueSize()];
    attended = new float[tokensMax * config.querySize()];
    final boolean isDense = config.feedForward().experts() == null;
    gated = new float[isDense ? tokensMax * config.intermediateSize() : 0];
    experts =
        isDense
            ? null
            : new ExpertLayer(
                config,
                tokensMax,
                projections,
                (rowCount, work) -> rows((row, worker) -> work.run(row)));
  }

  StepPlan plan() {
    return plan;
  }

  /** The logits of a wanted row, valid until the next run. */
  float[] logits(int wantedRow) {
    return logits[wantedRow];
  }

  /** Computes the step that {@link #plan} holds. */
  void run() {
    rotation.prepare(plan.contextLength());
    windowRotation.prepare(plan.contextLength());
    rows((row, worker) -> embed(row));
    final List<PackedWeights.Layer> layers = weights.layers();
    for (int i = 0; i < layers.size(); i++) {
      final PackedWeights.Layer layer = layers.get(i);
      norm(layer.attentionNorm());
      if (i < layers.size() - 1) {
        projectQueryKeyValue(layer);
        storeKeyValue(layer, i);
      } else {
        projectKeyValue(layer);
        storeKeyValue(layer, i);
        keepWantedRows();
        if (plan.rowCount() == 0) return;
        projectQuery(layer);
      }
      attend(layer, i);
      feedForward(layer);
    }
    norm(weights.outputNorm());
    poolHiddenStates();
    if (plan.logitsCount() > 0) projectLogits();
  }

  /** Gives hidden states to those who want them, in order; leaves the rows of logits in front. */
  private void poolHiddenStates() {
    final int hidden = config.hiddenSize();
    for (int row = 0; row < plan.rowCount(); row++) {
      final StepInput.Pooled pooled = plan.pooled(row);
      if (pooled != null) pooled.add(normed, row * hidden);
      final int logitsRow = plan.logitsRowOfWanted(row);
      if (logitsRow >= 0 && logitsRow < row) {
        System.arraycopy(normed, row * hidden, normed, logitsRow * hidden, hidden);
      }
    }
  }

  private void embed(int row) {
    final int from = row * config.hiddenSize();
    weights.embed(plan.token(row), x, from);
    final float scale = config.residual().embeddingScale();
    if (scale == 1) return;
    for (int i = from; i < from + config.hiddenSize(); i++) x[i] *= scale;
  }

  private Rotation rotationOf(int layerIndex) {
    return config.isWindowed(layerIndex) ? windowRotation : rotation;
  }

  private int windowOf(int layerIndex) {
    return config.isWindowed(layerIndex) ? config.attention().window().length() : Integer.MAX_VALUE;
  }

  private void projectQueryKeyValue(PackedWeights.Layer layer) {
    projections.run(
        normed,
        plan.rowCount(),
        projections.store(layer.query(), query, layer.queryBias()),
        projections.store(layer.key(), key, layer.keyBias()),
        projections.store(layer.value(), value, layer.valueBias()));
  }

  private void projectKeyValue(PackedWeights.Layer layer) {
    projections.run(
        normed,
        plan.rowCount(),
        projections.store(layer.key(), key, layer.keyBias()),
        projections.store(layer.value(), value, layer.valueBias()));
  }

  private void projectQuery(PackedWeights.Layer layer) {
    projections.run(
        normed, plan.rowCount(), projections.store(layer.query(), query, layer.queryBias()));
  }

  private void keepWantedRows() {
    final int hidden = config.hiddenSize();
    for (int i = 0; i < plan.wantedCount(); i++) {
      System.arraycopy(x, plan.wantedRow(i) * hidden, x, i * hidden, hidden);
      System.arraycopy(normed, plan.wantedRow(i) * hidden, normed, i * hidden, hidden);
    }
    plan.keepWanted();
  }

  private void storeKeyValue(PackedWeights.Layer layer, int layerIndex) {
    final int headSize = config.headSize();
    final Rotation turn = rotationOf(layerIndex);
    rows((row, worker) -> {
      final int position = plan.position(row);
      final int slot = position % CpuDevice.BLOCK_SIZE;
      final int block = plan.blocks(row)[position / CpuDevice.BLOCK_SIZE];
      for (int head = 0; head < config.keyValueHeadCount(); head++) {
        final int from = row * config.keyValueSize() + head * headSize;
        normAndRotate(key, from, layer.keyNorm(), turn, position, scratch[worker]);
        cache.store(block, slot, layerIndex, head, key, value, from);
      }
    });
  }

  private void normAndRotate(
      float[] heads, int from, float[] headNorm, Rotation turn, int position, Scratch own) {
    if (headNorm != null) {
      Norms.rms(
          heads,
          from,
          headNorm,
          config.headSize(),
          config.rmsNormEpsilon(),
          heads,
          from,
          own.chains,
          choice.usesVectors());
    }
    turn.rotate(heads, from, position);
  }

  private void attend(PackedWeights.Layer layer, int layerIndex) {
    final int heads = config.keyValueHeadCount();
    final int group = config.headCount() / heads;
    final Rotation turn = rotationOf(layerIndex);
    final int window = windowOf(layerIndex);
    pool.run(
        plan.runCount() * heads,
        (task, worker) -> {
          final int run =
              plan.runCount() - 1 - task / heads; // Late runs see most positions: they go first.
          final int head = task % heads;
          final int from = plan.runStart(run);
          final int to = plan.runStart(run + 1);
          for (int row = from; row < to; row++) {
            for (int h = head * group; h < (head + 1) * group; h++) {
              final int at = row * config.querySize() + h * config.headSize();
              normAndRotate(
                  query, at, layer.queryNorm(), turn, plan.position(row), scratch[worker]);
            }
          }
          attention.run(
              query,
              attended,
              config.querySize(),
              from,
              to,
              plan.position(from) - from,
              plan.blocks(from),
              layerIndex,
              head,
              window,
              worker);
        });
    projectToResidual(attended, layer.attentionOutput(), layer.postAttentionNorm());
  }

  /** {@code x += matrix(from)}, normalised before where there is a norm. */
  private void projectToResidual(float[] from, PackedMatrix matrix, float[] postNorm) {
    if (postNorm == null) {
      projections.run(from, plan.rowCount(), projections.add(matrix, x));
    } else {
      projections.run(from, plan.rowCount(), projections.store(matrix, normed, null));
      addNormed(postNorm);
    }
  }

  /** {@code x += normed}, normalised before where there is a norm. */
  private void addNormed(float[] postNorm) {
    final int hidden = config.hiddenSize();
    rows((row, worker) -> {
      final int from = row * hidden;
      if (postNorm != null) norm(normed, from, postNorm, normed, scratch[worker]);
      for (int i = from; i < from + hidden; i++) x[i] += normed[i];
    });
  }

  private void feedForward(PackedWeights.Layer layer) {
    norm(layer.feedForwardNorm());
    if (layer.experts() != null) {
      experts.run(layer.experts(), normed, plan.rowCount(), normed);
      addNormed(layer.postFeedForwardNorm());
      return;
    }
    projections.runGated(normed, plan.rowCount(), layer.gate(), layer.up(), gated);
    projectToResidual(gated, layer.down(), layer.postFeedForwardNorm());
  }

  private void projectLogits() {
    final int count = plan.logitsCount();
    if (logits.length < count) {
      final float[][] more = Arrays.copyOf(logits, count);
      for (int i = logits.length; i < count; i++) more[i] = new float[config.vocabularySize()];
      logits = more;
    }
    projections.run(normed, count, projections.storeRows(weights.outputHead(), logits));
    final float cap = config.residual().logitCap();
    if (cap == 0) return;
    final boolean usesVectors = choice.usesVectors();
    pool.run(
        count,
        (row, worker) ->
            FloatMath.softcap(logits[row], 0, config.vocabularySize(), cap, usesVectors));
  }

  /** {@code normed = rmsNorm(x)}. */
  private void norm(float[] weight) {
    rows((row, worker) -> norm(x, row * config.hiddenSize(), weight, normed, scratch[worker]));
  }

  /** One row; {@code to} may be {@code from}. */
  private void norm(float[] from, int offset, float[] weight, float[] to, Scratch own) {
    Norms.rms(
        from,
        offset,
        weight,
        config.hiddenSize(),
        config.rmsNormEpsilon(),
        to,
        offset,
        own.chains,
        choice.usesVectors());
  }

  private interface RowWork {
    void run(int row, int worker);
  }

  private void rows(RowWork work) {
    final int tasks = (plan.rowCount() + ROWS_PER_TASK - 1) / ROWS_PER_TASK;
    pool.run(
        tasks,
        (task, worker) -> {
          final int to = Math.min(plan.rowCount(), (task + 1) * ROWS_PER_TASK);
          for (int row = task * ROWS_PER_TASK; row < to; row++) work.run(row, worker);
        });
  }

  /**
   * Gives each worker memory for a panel that is not packed where it belongs.
   *
   * @param panels one a worker, valid until the next call; {@code null} once all are packed
   */
  void setPanels(MemorySegment[] panels) {
    for (int i = 0; i < scratch.length; i++) scratch[i].panel = panels == null ? null : panels[i];
  }

  long workspaceBytes() {
    long bytes = rotation.bytes() + inputs.bytes() + attention.bytes();
    if (windowRotation != rotation) bytes += windowRotation.bytes();
    if (experts != null) bytes += experts.bytes();
    for (Scratch one : scratch) bytes += one.bytes();
    return bytes
        + 4L
            * (x.length
                + normed.length
                + query.length
                + key.length
                + value.length
                + attended.length
                + gated.length);
  }
}
