package dev.stator.cli.inspect;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stator.kv.KvLayout.KvType;
import dev.stator.model.ModelConfig;
import dev.stator.model.ModelSummary;
import dev.stator.model.RopeScaling;
import dev.stator.model.WeightMatrix;
import java.util.List;
import java.util.Locale;

/** A model's description for programs. */
public final class InspectJson {
  private static final ObjectMapper JSON =
      JsonMapper.builder().propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE).build();

  private InspectJson() {}

  /**
   * Indented JSON.
   *
   * @param tensors {@code null} leaves them out
   */
  public static String format(ModelSummary model, List<WeightMatrix> tensors) {
    final ObjectNode root = JSON.createObjectNode();
    root.put("name", model.name());
    root.put("source", model.source());
    root.put("format", model.format());
    root.put("parameter_count", model.parameterCount());
    root.put("weight_bytes", model.weightBytes());
    root.set("config", config(model.config()));
    final ArrayNode types = root.putArray("tensor_types");
    model.tensorTypes().forEach(use -> types.add(JSON.<ObjectNode>valueToTree(use)));
    final ObjectNode tokenizer = root.putObject("tokenizer");
    tokenizer.put("kind", model.tokenizerKind());
    tokenizer.put("token_count", model.tokenCount());
    root.put("has_chat_template", model.hasChatTemplate());
    root.set("defaults", defaults(model));
    final ArrayNode notes = root.putArray("notes");
    model.notes().forEach(notes::add);
    if (tensors != null) root.set("tensors", tensors(tensors));
    return root.toPrettyString();
  }

  private static ObjectNode config(ModelConfig config) {
    final ObjectNode node = JSON.valueToTree(config);
    node.put("rope_layout", config.ropeLayout().name().toLowerCase(Locale.ROOT));
    final ObjectNode scaling = JSON.valueToTree(config.ropeScaling());
    node.set("rope_scaling", scaling.put("type", kind(config.ropeScaling())));
    node.put("kv_bytes_per_token", InspectText.kvBytesPerToken(config, KvType.F32));
    return node;
  }

  private static String kind(RopeScaling scaling) {
    return switch (scaling) {
      case RopeScaling.None _ -> "none";
      case RopeScaling.Linear _ -> "linear";
      case RopeScaling.Llama3 _ -> "llama3";
      case RopeScaling.Yarn _ -> "yarn";
      case RopeScaling.LongRope _ -> "longrope";
      case RopeScaling.PerPair _ -> "per_pair";
    };
  }

  private static ObjectNode defaults(ModelSummary model) {
    final ObjectNode node = JSON.createObjectNode();
    final ArrayNode ends = node.putArray("end_token_ids");
    model.defaults().endTokenIds().stream().sorted().forEach(ends::add);
    model.defaults().temperature().ifPresent(value -> node.put("temperature", value));
    model.defaults().topP().ifPresent(value -> node.put("top_p", value));
    model.defaults().topK().ifPresent(value -> node.put("top_k", value));
    return node;
  }

  private static ArrayNode tensors(List<WeightMatrix> tensors) {
    final ArrayNode array = JSON.createArrayNode();
    for (WeightMatrix tensor : tensors) {
      array
          .addObject()
          .put("name", tensor.name())
          .put("type", tensor.type().name())
          .put("rows", tensor.rowCount())
          .put("columns", tensor.columnCount())
          .put("bytes", tensor.data().byteSize());
    }
    return array;
  }
}
