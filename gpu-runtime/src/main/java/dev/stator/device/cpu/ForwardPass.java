package dev.stator.device.cpu;

import dev.stator.kv.KvLayout;
import dev.stator.model.ModelConfig;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/**
 * One step through all layers. Rows are tokens; every operation computes a row from that row and
 * its sequence's KV blocks alone.
 *
 * <pre>
 *   x = embedding
 *   each layer:  q, k, v = projections(rmsNorm(x)) + biases; head norms; rotation; k, v to their blocks
 *                x += attentionOutput(attention(q))
 *                x += down(silu(gate(rmsNorm(x))) * up(rmsNorm(x)))
 *   logits = outputHead(rmsNorm(x))          of the wanted rows; the last layer computes no others beyond k and v
 * </pre>
 *
 * <p><b>Threads:</b> one calls {@link #run}; the pool's share the work.
 */
final class ForwardPass {
  /** Rows of an element-wise task. */
  private static final int ROWS_PER_TASK = 4;

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final ModelConfig config;
  private final KernelChoice choice;
  private final PackedWeights weights;
  private final KvLayout layout;
  private final MemorySegment kv;
  private final Rotation rotation;
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
  private float[][] logits = {};

  ForwardPass(
      ModelConfig config,
      PackedWeights weights,
      KvLayout layout,
      MemorySegment kv,
      WorkerPool pool,
      int tokensMax,
      int contextLength,
      Inputs inputs,
      KernelChoice choice) {
    this.inputs = inputs;
    this.choice = choice;
    this.config = config;
    this.weights = weights;
    this.layout = layout;
    this.kv = kv;
    this.pool = pool;
    rotation = new Rotation(config, contextLength);
    attention =
        new Attention(
            config.headSize(), config.headCount() / config.keyValueHeadCount(), layout, kv, choice);
    scratch = new Scratch[pool.threadCount()];
    for (int i = 0; i < scratch.length; i++)
      scratch[i] = new Scratch(tokensMax, contextLength, config.headSize());
    projections = new Projections(pool, scratch, inputs, choice);
    plan = new StepPlan(tokensMax);
    x = new float[tokensMax * config.hiddenSize()];
    normed = new float[tokensMax * config.hiddenSize()];
    query = new float[tokensMax * config.querySize()];
    key = new float[tokensMax * config.keyValueSize()];
    value = new float[tokensMax * config.keyValueSize()];
    attended = new float[tokensMax * config.querySize()];
    gated = new float[tokensMax * config.intermediateSize()];
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
    rows((row, worker) -> weights.embed(plan.token(row), x, row * config.hiddenSize()));
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
    projectLogits();
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
    rows((row, worker) -> {
      final int position = plan.position(row);
      final int slot = position % layout.blockSize();
      final long block = plan.blocks(row)[position / layout.blockSize()] * layout.blockBytes();
      for (int head = 0; head < config.keyValueHeadCount(); head++) {
        final int from = row * config.keyValueSize() + head * headSize;
        normAndRotate(key, from, layer.keyNorm(), position, scratch[worker]);
        final long keys = block + layout.keyOffset(layerIndex, head) + 4L * slot;
        for (int d = 0; d < headSize; d++)
          kv.set(FLOAT, keys + 4L * d * layout.blockSize(), key[from + d]);
        final long values = block + layout.valueOffset(layerIndex, head) + 4L * slot * headSize;
        MemorySegment.copy(value, from, kv, FLOAT, values, headSize);
      }
    });
  }

  private void normAndRotate(float[] heads, int from, float[] headNorm, int position, Scratch own) {
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
    rotation.rotate(heads, from, position);
  }

  private void attend(PackedWeights.Layer layer, int layerIndex) {
    final int heads = config.keyValueHeadCount();
    final int group = config.headCount() / heads;
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
              normAndRotate(query, at, layer.queryNorm(), plan.position(row), scratch[worker]);
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
              scratch[worker]);
        });
    projections.run(attended, plan.rowCount(), projections.add(layer.attentionOutput(), x));
  }

  private void feedForward(PackedWeights.Layer layer) {
    norm(layer.feedForwardNorm());
    projections.runGated(normed, plan.rowCount(), layer.gate(), layer.up(), gated);
    projections.run(gated, plan.rowCount(), projections.add(layer.down(), x));
  }

  private void projectLogits() {
    final int count = plan.rowCount();
    if (logits.length < count) {
      final float[][] more = Arrays.copyOf(logits, count);
      for (int i = logits.length; i < count; i++) more[i] = new float[config.vocabularySize()];
      logits = more;
    }
    projections.run(normed, count, projections.storeRows(weights.outputHead(), logits));
  }

  private void norm(float[] weight) {
    final int hidden = config.hiddenSize();
    rows((row, worker) ->
        Norms.rms(
            x,
            row * hidden,
            weight,
            hidden,
            config.rmsNormEpsilon(),
            normed,
            row * hidden,
            scratch[worker].chains,
            choice.usesVectors()));
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

  long workspaceBytes() {
    long bytes = rotation.bytes() + inputs.bytes();
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
