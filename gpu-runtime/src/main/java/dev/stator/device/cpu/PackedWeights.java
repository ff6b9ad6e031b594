package dev.stator.device.cpu;

import dev.stator.device.Fingerprint;
import dev.stator.device.MemoryPlan;
import dev.stator.model.FeedForwardVariant;
import dev.stator.model.ModelConfig;
import dev.stator.model.ModelFormatException;
import dev.stator.model.ModelWeights;
import dev.stator.model.WeightDecoder;
import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightScan;
import dev.stator.model.WeightType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.IntConsumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.LoggerFactory;

/**
 * A model's weights as the kernels want them: projections repacked off-heap, vectors as floats. The
 * token embedding is read from the model's own memory, a row a token.
 */
final class PackedWeights {
  /**
   * Biases, head norms and post-norms are {@code null} where the model has none, and so are either
   * the dense feed-forward layer or the experts.
   */
  record Layer(
      float[] attentionNorm,
      PackedMatrix query,
      PackedMatrix key,
      PackedMatrix value,
      PackedMatrix attentionOutput,
      float[] queryBias,
      float[] keyBias,
      float[] valueBias,
      float[] queryNorm,
      float[] keyNorm,
      float[] feedForwardNorm,
      PackedMatrix gate,
      PackedMatrix up,
      PackedMatrix down,
      float[] postAttentionNorm,
      float[] postFeedForwardNorm,
      Experts experts) {}

  /** A mixture; shared expert and its gate are {@code null} where there are none. */
  record Experts(
      PackedMatrix router, List<Expert> experts, Expert shared, PackedMatrix sharedGate) {}

  record Expert(PackedMatrix gate, PackedMatrix up, PackedMatrix down) {}

  /** Work on so many bytes of the file, by one worker or another. */
  record Task(IntConsumer work, long bytes) {}

  private static final int ALIGNMENT = 64;

  /**
   * A model of more bytes is taken not to stay in a processor's last cache from one step to the
   * next.
   */
  private static final long CACHED_BYTES_MAX = 16L << 20;

  private final KernelChoice.All choices;
  private final NativeKernels kernels;
  private final WeightMatrix embedding;
  private final List<Layer> layers = new ArrayList<>();
  private final List<StoredMatrix> matrices = new ArrayList<>();
  private final List<Task> tasks = new ArrayList<>();
  private final List<Task> left = new ArrayList<>();
  private final Fingerprint fingerprint = new Fingerprint();
  private final float[] outputNorm;
  private final PackedMatrix outputHead;
  private final boolean isHeadTied;

  /**
   * What is to be packed.
   *
   * @param kernels for the types that they have; {@code null} for none
   * @throws ModelFormatException when a weight has the wrong shape
   */
  PackedWeights(
      ModelConfig config, ModelWeights weights, KernelChoice.All choices, NativeKernels kernels) {
    this.choices = choices;
    this.kernels = kernels;
    embedding =
        WeightMatrix.requireShape(
            weights.tokenEmbedding(), config.vocabularySize(), config.hiddenSize());
    for (ModelWeights.Layer layer : weights.layers()) layers.add(layer(config, layer));
    if (layers.size() != config.layerCount()) {
      throw new ModelFormatException(
          "the model has "
              + layers.size()
              + " layers, its configuration says "
              + config.layerCount());
    }
    outputNorm = norm(config, weights.outputNorm(), config.hiddenSize());
    outputHead = matrix(weights.outputHead(), config.vocabularySize(), config.hiddenSize());
    isHeadTied = weights.tokenEmbedding() == weights.outputHead();
  }

  /**
   * Repacks all weights on the pool's threads, into memory that lives as long as {@code arena}.
   * Each piece is read from memory once: fingerprint, checks and packing find it in the cache.
   *
   * @param panels memory of {@link #nativePanelBytesMax} for each worker, where the matrices of
   *     native kernels are checked now and packed by {@link #left}; {@code null} where all are
   *     packed
   * @throws ModelFormatException when a weight has a value that is not finite
   */
  void load(Arena arena, WorkerPool pool, MemorySegment[] panels) {
    MemorySegment free = OffHeap.allocate(arena, placeBytes());
    for (StoredMatrix matrix : matrices) {
      matrix.place(free.asSlice(0, matrix.placeBytes()));
      free = free.asSlice(aligned(matrix.placeBytes()));
      matrix.setBeyondCaches(isBeyondCaches());
      if (panels != null && matrix instanceof NativeMatrix later) addLater(later, panels);
      else addTasks(matrix.source, (piece, worker) -> matrix.packTask(piece));
    }
    if (!isHeadTied) addTasks(embedding, (piece, worker) -> checkEmbedding(piece));
    final var progress =
        new LoadProgress(
            left.isEmpty() ? LoadProgress.Work.LOADED : LoadProgress.Work.CHECKED,
            tasks.stream().mapToLong(Task::bytes).sum(),
            System::nanoTime,
            LoggerFactory.getLogger(LoadProgress.class)::info);
    pool.run(
        tasks.size(),
        (number, worker) -> {
          final Task task = tasks.get(number);
          task.work.accept(worker);
          progress.add(task.bytes);
        });
    progress.finish();
    tasks.clear();
    if (left.isEmpty()) unloadFile();
  }

  /** What is left to be packed, in any order, on any threads; {@link #unloadFile} comes next. */
  List<Task> left() {
    return left;
  }

  /** Gives the file's own pages back to the system, which reads them again when they are wanted. */
  void unloadFile() {
    for (StoredMatrix matrix : matrices) {
      final MemorySegment file = matrix.source.data();
      if (file.isMapped()) file.unload();
    }
  }

  /** Whether the weights are read from memory in each step. */
  boolean isBeyondCaches() {
    return bytes() > CACHED_BYTES_MAX;
  }

  /** Checks a matrix now. What is packed then is what the fingerprint names. */
  private void addLater(NativeMatrix matrix, MemorySegment[] panels) {
    final WeightMatrix source = matrix.source;
    final int number = addTasks(source, (piece, worker) -> matrix.checkTask(piece, panels[worker]));
    for (int i = 0; i < matrix.taskCount(); i++) {
      final int piece = i;
      final IntConsumer pack =
          worker -> {
            if (!fingerprint.isUnchanged(number, piece)) {
              throw new ModelFormatException(
                  "tensor " + source.name() + " has changed in the file since it was checked");
            }
            matrix.packTask(piece);
          };
      left.add(new Task(pack, rows(source, piece).byteSize()));
    }
  }

  /**
   * @param work on a piece, by a worker
   */
  private int addTasks(WeightMatrix weight, WorkerPool.Task work) {
    final int number = fingerprint.add(weight, PackedMatrix.TASK_ROWS);
    for (int i = 0; i * PackedMatrix.TASK_ROWS < weight.rowCount(); i++) {
      final int piece = i;
      final IntConsumer both =
          worker -> {
            fingerprint.hash(number, piece);
            work.run(piece, worker);
          };
      tasks.add(new Task(both, rows(weight, piece).byteSize()));
    }
    return number;
  }

  private static MemorySegment rows(WeightMatrix weight, int piece) {
    final int row = piece * PackedMatrix.TASK_ROWS;
    final int rowEnd = Math.min(weight.rowCount(), row + PackedMatrix.TASK_ROWS);
    final long rowBytes = weight.type().byteSize(weight.columnCount());
    return weight.data().asSlice(row * rowBytes, (rowEnd - row) * rowBytes);
  }

  /** Packing checks the others. */
  private void checkEmbedding(int piece) {
    final int row = piece * PackedMatrix.TASK_ROWS;
    WeightScan.requireFinite(
        embedding, row, Math.min(embedding.rowCount(), row + PackedMatrix.TASK_ROWS));
  }

  private Layer layer(ModelConfig config, ModelWeights.Layer layer) {
    final int hidden = config.hiddenSize();
    final int intermediate = config.intermediateSize();
    final boolean isDense = config.feedForward().experts() == null;
    final boolean hasPostNorms = config.residual().postNorms();
    final int querySize = config.querySize();
    final int keyValueSize = config.keyValueSize();
    return new Layer(
        norm(config, layer.attentionNorm(), hidden),
        matrix(layer.query(), querySize, hidden),
        matrix(layer.key(), keyValueSize, hidden),
        matrix(layer.value(), keyValueSize, hidden),
        matrix(layer.attentionOutput(), hidden, querySize),
        config.attentionBias() ? vector(layer.queryBias(), querySize) : null,
        config.attentionBias() ? vector(layer.keyBias(), keyValueSize) : null,
        config.attentionBias() ? vector(layer.valueBias(), keyValueSize) : null,
        config.queryKeyNorm() ? norm(config, layer.queryNorm(), config.headSize()) : null,
        config.queryKeyNorm() ? norm(config, layer.keyNorm(), config.headSize()) : null,
        norm(config, layer.feedForwardNorm(), hidden),
        isDense ? matrix(layer.gate(), intermediate, hidden) : null,
        isDense ? matrix(layer.up(), intermediate, hidden) : null,
        isDense ? matrix(layer.down(), hidden, intermediate) : null,
        hasPostNorms ? norm(config, layer.postAttentionNorm(), hidden) : null,
        hasPostNorms ? norm(config, layer.postFeedForwardNorm(), hidden) : null,
        isDense ? null : experts(config, layer.experts()));
  }

  private Experts experts(ModelConfig config, ModelWeights.ExpertMixture mixture) {
    final FeedForwardVariant.Experts shape = config.feedForward().experts();
    final int hidden = config.hiddenSize();
    final PackedMatrix router = matrix(mixture.router(), shape.count(), hidden);
    final List<Expert> experts = new ArrayList<>();
    for (ModelWeights.Expert expert : mixture.experts()) {
      experts.add(expert(expert, shape.intermediateSize(), hidden));
    }
    if (shape.sharedSize() == 0) return new Experts(router, experts, null, null);
    return new Experts(
        router,
        experts,
        expert(mixture.shared(), shape.sharedSize(), hidden),
        matrix(mixture.sharedGate(), 1, hidden));
  }

  private Expert expert(ModelWeights.Expert expert, int intermediate, int hidden) {
    return new Expert(
        matrix(expert.gate(), intermediate, hidden),
        matrix(expert.up(), intermediate, hidden),
        matrix(expert.down(), hidden, intermediate));
  }

  private float[] norm(ModelConfig config, WeightMatrix source, int length) {
    final float[] weight = vector(source, length);
    final float offset = config.residual().normOffset();
    if (offset != 0) for (int i = 0; i < length; i++) weight[i] += offset;
    return weight;
  }

  private PackedMatrix matrix(WeightMatrix source, int rows, int columns) {
    WeightMatrix.requireShape(source, rows, columns);
    final WeightType type = StoredMatrix.packedAs(source.type());
    final StoredMatrix matrix =
        Optional.ofNullable(kernels)
            .flatMap(found -> found.format(type))
            .<StoredMatrix>map(format -> new NativeMatrix(source, format))
            .orElseGet(() -> Panels.of(source, choices.projections(type)));
    matrices.add(matrix);
    return matrix;
  }

  private float[] vector(WeightMatrix source, int length) {
    WeightMatrix.requireShape(source, 1, length);
    addTasks(source, (piece, worker) -> {});
    final float[] values = WeightDecoder.row(source, 0);
    for (float value : values) {
      if (!Float.isFinite(value)) {
        throw new ModelFormatException(
            "tensor " + source.name() + " has a value that is not finite");
      }
    }
    return values;
  }

  Fingerprint fingerprint() {
    return fingerprint;
  }

  /** Writes the embedding of a token. */
  void embed(int token, float[] to, int toOffset) {
    WeightDecoder.row(embedding, token, to, toOffset);
  }

  List<Layer> layers() {
    return layers;
  }

  float[] outputNorm() {
    return outputNorm;
  }

  PackedMatrix outputHead() {
    return outputHead;
  }

  private long placeBytes() {
    return matrices.stream().mapToLong(matrix -> aligned(matrix.placeBytes())).sum();
  }

  private static long aligned(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  /** The types of the projections that Java's kernels compute. */
  Set<WeightType> javaTypes() {
    return matrices.stream()
        .filter(PanelMatrix.class::isInstance)
        .map(matrix -> matrix.packedAs)
        .collect(Collectors.toSet());
  }

  /** What the projections read. */
  Set<Inputs.Form> inputForms() {
    return matrices.stream().map(PackedMatrix::inputForm).collect(Collectors.toSet());
  }

  /** The most inputs that a projection has. */
  int columnsMax() {
    return matrices.stream().mapToInt(PackedMatrix::columns).max().orElseThrow();
  }

  private Set<WeightType> types() {
    return matrices.stream().map(matrix -> matrix.source.type()).collect(Collectors.toSet());
  }

  /** The packed projections' memory, one term a type: packing may widen values. */
  List<MemoryPlan.Term> memory() {
    final List<MemoryPlan.Term> terms = new ArrayList<>();
    for (WeightType type : new TreeSet<>(types())) {
      long packed = 0;
      long stored = 0;
      long values = 0;
      for (StoredMatrix matrix : matrices) {
        if (matrix.source.type() != type) continue;
        packed += matrix.bytes();
        stored += matrix.source.data().byteSize();
        values += (long) matrix.rows() * matrix.columns();
      }
      terms.add(
          new MemoryPlan.Term(
              String.format(
                  Locale.ROOT,
                  "%s weights, packed: %.1f bits a value, %.1f in the file",
                  type,
                  8.0 * packed / values,
                  8.0 * stored / values),
              packed));
    }
    return terms;
  }

  /** Bytes of the packed projections that native kernels compute. */
  long nativeBytes() {
    return nativeMatrices().mapToLong(StoredMatrix::bytes).sum();
  }

  /** Bytes of the largest panel of a native kernel. */
  long nativePanelBytesMax() {
    return nativeMatrices().mapToLong(matrix -> matrix.panelBytes).max().orElse(0);
  }

  private Stream<StoredMatrix> nativeMatrices() {
    return matrices.stream().filter(NativeMatrix.class::isInstance);
  }

  /** Bytes of the packed projections. */
  long bytes() {
    return matrices.stream().mapToLong(PackedMatrix::bytes).sum();
  }
}
