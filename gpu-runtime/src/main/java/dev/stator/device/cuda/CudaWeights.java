package dev.stator.device.cuda;

import dev.stator.model.FeedForwardVariant;
import dev.stator.model.ModelConfig;
import dev.stator.model.ModelFormatException;
import dev.stator.model.ModelWeights;
import dev.stator.model.WeightMatrix;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;

/**
 * A model's weights on the device. <b>Ownership:</b> the memory is the {@link DeviceMemory}'s that
 * they were loaded into.
 *
 * @param outputNorm float32 [hidden]
 */
record CudaWeights(
    CudaMatrix embedding, List<Layer> layers, long outputNorm, CudaMatrix outputHead) {
  /**
   * Norms are addresses of float32 vectors, 0 where the model has none. Either the two of the dense
   * feed-forward layer or the experts are {@code null}.
   */
  record Layer(
      long attentionNorm,
      CudaProducts queryKeyValue,
      CudaMatrix attentionOutput,
      long queryNorm,
      long keyNorm,
      long feedForwardNorm,
      CudaProducts gateUp,
      CudaMatrix down,
      long postAttentionNorm,
      long postFeedForwardNorm,
      CudaExperts experts) {}

  CudaWeights {
    layers = List.copyOf(layers);
  }

  /**
   * @param weights of the whole model, whose part is loaded
   * @throws ModelFormatException when a weight has the wrong shape or a value that is not finite
   */
  static CudaWeights load(Shard shard, ModelWeights weights, WeightUpload upload) {
    return new Loader(shard, shard.config(), upload).load(weights);
  }

  private record Loader(Shard shard, ModelConfig config, WeightUpload upload) {
    CudaWeights load(ModelWeights weights) {
      if (weights.layers().size() != config.layerCount()) {
        throw new ModelFormatException(
            "the model has %d layers, its configuration says %d"
                .formatted(weights.layers().size(), config.layerCount()));
      }
      final List<Layer> layers = new ArrayList<>();
      for (ModelWeights.Layer layer : weights.layers()) {
        try (Arena arena = Arena.ofShared()) {
          layers.add(layer(shard.of(layer, arena)));
        }
      }
      final int hidden = config.hiddenSize();
      final long outputNorm = norm(weights.outputNorm(), hidden);
      final CudaMatrix head =
          matrix(shard.head(weights.outputHead()), config.vocabularySize(), hidden);
      final boolean isChecked =
          weights.tokenEmbedding() == weights.outputHead() && shard.degree() == 1;
      final WeightMatrix embedding =
          WeightMatrix.requireShape(weights.tokenEmbedding(), shard.entries().total(), hidden);
      return new CudaWeights(upload.embedding(embedding, isChecked), layers, outputNorm, head);
    }

    private Layer layer(ModelWeights.Layer layer) {
      final int hidden = config.hiddenSize();
      final int intermediate = config.intermediateSize();
      final boolean isDense = config.feedForward().experts() == null;
      final boolean hasPostNorms = config.residual().postNorms();
      final boolean hasHeadNorms = config.queryKeyNorm();
      return new Layer(
          norm(layer.attentionNorm(), hidden),
          queryKeyValue(layer),
          matrix(layer.attentionOutput(), hidden, config.querySize()),
          hasHeadNorms ? norm(layer.queryNorm(), config.headSize()) : 0,
          hasHeadNorms ? norm(layer.keyNorm(), config.headSize()) : 0,
          norm(layer.feedForwardNorm(), hidden),
          isDense ? gateUp(layer.gate(), layer.up(), intermediate) : null,
          isDense ? matrix(layer.down(), hidden, intermediate) : null,
          hasPostNorms ? norm(layer.postAttentionNorm(), hidden) : 0,
          hasPostNorms ? norm(layer.postFeedForwardNorm(), hidden) : 0,
          isDense ? null : experts(layer.experts()));
    }

    private CudaProducts gateUp(WeightMatrix gate, WeightMatrix up, int rows) {
      final int hidden = config.hiddenSize();
      return products(
          List.of(
              WeightMatrix.requireShape(gate, rows, hidden),
              WeightMatrix.requireShape(up, rows, hidden)),
          0);
    }

    private CudaExperts experts(ModelWeights.ExpertMixture mixture) {
      final FeedForwardVariant.Experts shape = config.feedForward().experts();
      final int hidden = config.hiddenSize();
      final int count = shape.count();
      if (mixture == null || mixture.experts().size() != count) {
        throw new ModelFormatException("a layer has not the %d experts expected".formatted(count));
      }
      final List<WeightMatrix> gateUps = new ArrayList<>();
      final List<WeightMatrix> downs = new ArrayList<>();
      for (ModelWeights.Expert expert : mixture.experts()) {
        gateUps.add(WeightMatrix.requireShape(expert.gate(), shape.intermediateSize(), hidden));
        gateUps.add(WeightMatrix.requireShape(expert.up(), shape.intermediateSize(), hidden));
        downs.add(WeightMatrix.requireShape(expert.down(), hidden, shape.intermediateSize()));
      }
      return new CudaExperts(
          matrix(mixture.router(), count, hidden),
          upload.experts(gateUps, count),
          upload.experts(downs, count),
          shape.sharedSize() == 0 ? null : shared(mixture, shape.sharedSize()));
    }

    private CudaExperts.Shared shared(ModelWeights.ExpertMixture mixture, int size) {
      final ModelWeights.Expert expert = mixture.shared();
      return new CudaExperts.Shared(
          matrix(mixture.sharedGate(), 1, config.hiddenSize()),
          gateUp(expert.gate(), expert.up(), size),
          matrix(expert.down(), config.hiddenSize(), size));
    }

    private CudaProducts queryKeyValue(ModelWeights.Layer layer) {
      final int hidden = config.hiddenSize();
      final int query = config.querySize();
      final int keyValue = config.keyValueSize();
      return products(
          List.of(
              WeightMatrix.requireShape(layer.query(), query, hidden),
              WeightMatrix.requireShape(layer.key(), keyValue, hidden),
              WeightMatrix.requireShape(layer.value(), keyValue, hidden)),
          config.attentionBias() ? biases(layer) : 0);
    }

    private long biases(ModelWeights.Layer layer) {
      final int query = config.querySize();
      final int keyValue = config.keyValueSize();
      final float[] all = new float[query + 2 * keyValue];
      System.arraycopy(vector(layer.queryBias(), query), 0, all, 0, query);
      System.arraycopy(vector(layer.keyBias(), keyValue), 0, all, query, keyValue);
      System.arraycopy(vector(layer.valueBias(), keyValue), 0, all, query + keyValue, keyValue);
      return upload.vector(all);
    }

    /** Neighbours that are stored the same way become one product. */
    private CudaProducts products(List<WeightMatrix> sources, long biases) {
      final List<CudaProducts.Part> parts = new ArrayList<>();
      int width = 0;
      for (int i = 0; i < sources.size(); ) {
        final List<WeightMatrix> same = new ArrayList<>(List.of(sources.get(i++)));
        while (i < sources.size() && isJoined(same.getLast(), sources.get(i))) {
          same.add(sources.get(i++));
        }
        final long bias = biases == 0 ? 0 : biases + (long) width * Float.BYTES;
        final CudaMatrix matrix = upload.projection(same);
        parts.add(new CudaProducts.Part(matrix, width, bias));
        width += matrix.rows();
      }
      return new CudaProducts(parts, width);
    }

    private static boolean isJoined(WeightMatrix matrix, WeightMatrix next) {
      return WeightUpload.storedAs(matrix) == WeightUpload.storedAs(next)
          && matrix.rowCount() % MatmulShape.TILE_ROWS == 0;
    }

    private CudaMatrix matrix(WeightMatrix source, int rows, int columns) {
      return upload.projection(List.of(WeightMatrix.requireShape(source, rows, columns)));
    }

    private long norm(WeightMatrix source, int length) {
      final float[] weight = vector(source, length);
      for (int i = 0; i < length; i++) weight[i] += config.residual().normOffset();
      return upload.vector(weight);
    }

    private float[] vector(WeightMatrix source, int length) {
      return upload.values(WeightMatrix.requireShape(source, 1, length));
    }
  }
}
