package dev.stator.device.cuda;

import com.typesafe.config.Config;
import dev.stator.model.LoadedModel;
import dev.stator.model.ModelConfig;
import dev.stator.model.ModelWeights;
import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightType;
import java.util.List;

/**
 * On how many GPUs a model runs together, from {@code stator.device.cuda.tensor-parallel}.
 *
 * @param wanted the number, or {@link #AUTO}
 */
public record TensorParallel(int wanted) {
  /** As few GPUs as hold the model. */
  public static final int AUTO = 0;

  private static final String KEY = "stator.device.cuda.tensor-parallel";

  public TensorParallel {
    if (wanted < 0) {
      throw new IllegalArgumentException(KEY + " is " + wanted + ", expected 1 or more, or auto");
    }
  }

  /** Reads the key. */
  public static TensorParallel from(Config root) {
    return new TensorParallel(root.getString(KEY).equals("auto") ? AUTO : root.getInt(KEY));
  }

  /**
   * How many GPUs a device of this model takes. Auto: the fewest on which the weights, a step's
   * workspace and the KV blocks of one sequence of the longest length fit; when they fit nowhere,
   * the most that the model can be cut for.
   *
   * @param gpus that may be used
   * @throws IllegalArgumentException when as many are wanted as there are not
   */
  public int degree(LoadedModel model, CudaDeviceSettings settings, List<CudaGpu> gpus) {
    if (wanted > gpus.size()) {
      throw new IllegalArgumentException(
          "%s is %d, but %d GPUs can be used".formatted(KEY, wanted, gpus.size()));
    }
    if (wanted != AUTO) return wanted;
    final long least = gpus.stream().mapToLong(CudaGpu::memoryBytes).min().orElse(0);
    final long room = settings.room(least, least);
    int most = 1;
    for (int degree = 1; degree <= gpus.size(); degree++) {
      if (degree > 1 && Shard.obstacle(model.config(), model.weights(), degree) != null) continue;
      most = degree;
      if (bytesOfRank(model, settings, degree) <= room) return degree;
    }
    return most;
  }

  /** An estimate. */
  static long bytesOfRank(LoadedModel model, CudaDeviceSettings settings, int degree) {
    final ModelConfig config = model.config();
    final ModelWeights weights = model.weights();
    long cut = repackedBytes(weights.outputHead());
    for (ModelWeights.Layer layer : weights.layers()) {
      for (WeightMatrix matrix : layer.matrices()) cut += repackedBytes(matrix);
    }
    final WeightMatrix embedding = weights.tokenEmbedding();
    final long whole =
        WeightUpload.embeddedAs(embedding.type()).byteSize(embedding.columnCount())
            * embedding.rowCount();
    final long length = CudaRank.contextLength(settings, model);
    final long blocks = Math.ceilDiv(length, CudaDevice.BLOCK_SIZE);
    cut += blocks * CudaRank.layout(config).blockBytes();
    return whole + Math.ceilDiv(cut, degree) + workspaceBytes(config, settings, degree);
  }

  private static long repackedBytes(WeightMatrix matrix) {
    if (matrix.columnCount() % MatmulShape.COLUMNS_MULTIPLE != 0) return matrix.data().byteSize();
    final WeightType type = WeightUpload.storedAs(matrix);
    return MatmulShape.repackedBytes(type, matrix.rowCount(), matrix.columnCount());
  }

  private static long workspaceBytes(ModelConfig config, CudaDeviceSettings settings, int degree) {
    final long sums = degree == 1 ? 0 : 2L * degree * config.hiddenSize() * Float.BYTES;
    final long rowBytes = Activations.rowBytes(config) + CudaMixture.rowBytes(config) + sums;
    final long logitsRows = Math.min(settings.stepTokensMax(), CudaRank.LOGITS_ROWS_MAX);
    return settings.stepTokensMax() * rowBytes
        + logitsRows * config.vocabularySize() * Float.BYTES
        + settings.attentionBytes();
  }
}
