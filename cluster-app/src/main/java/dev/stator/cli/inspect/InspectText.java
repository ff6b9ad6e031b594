package dev.stator.cli.inspect;

import dev.stator.cli.Quantities;
import dev.stator.kv.KvLayout;
import dev.stator.kv.KvLayout.KvType;
import dev.stator.model.AttentionVariant;
import dev.stator.model.FeedForwardVariant;
import dev.stator.model.ModelConfig;
import dev.stator.model.ModelSummary;
import dev.stator.model.RopeScaling;
import dev.stator.model.WeightMatrix;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** A model's description for people: a label and a value a line. */
public final class InspectText {

  private InspectText() {}

  /** Ends with a line end. */
  public static String format(ModelSummary model) {
    final ModelConfig config = model.config();
    final StringBuilder text = new StringBuilder(model.name()).append('\n');
    line(text, "source", model.source());
    line(text, "format", model.format());
    line(text, "architecture", config.architecture());
    line(
        text,
        "parameters",
        "%s (%s)"
            .formatted(
                Quantities.large(model.parameterCount()),
                Quantities.grouped(model.parameterCount())));
    line(text, "weights", Quantities.bytes(model.weightBytes()) + ": " + types(model));
    line(text, "context", Quantities.grouped(config.contextLength()) + " tokens");
    line(text, "layers", Integer.toString(config.layerCount()));
    line(
        text,
        "width",
        "%s, feed-forward %s"
            .formatted(Quantities.grouped(config.hiddenSize()), feedForward(config)));
    line(text, "attention", attention(config));
    line(text, "rope", rope(config));
    line(
        text,
        "KV cache",
        "%s a token in f32, %s in bf16, %s in int8"
            .formatted(
                Quantities.bytes(kvBytesPerToken(config, KvType.F32)),
                Quantities.bytes(kvBytesPerToken(config, KvType.BF16)),
                Quantities.bytes(kvBytesPerToken(config, KvType.INT8))));
    line(
        text,
        "vocabulary",
        "%s rows, %s tokens (%s)%s"
            .formatted(
                Quantities.grouped(config.vocabularySize()),
                Quantities.grouped(model.tokenCount()),
                model.tokenizerKind(),
                config.tiedEmbeddings() ? ", output head tied to the embedding" : ""));
    line(text, "end tokens", model.defaults().endTokenIds().stream().sorted().toList().toString());
    line(text, "sampling", sampling(model));
    line(text, "chat template", model.hasChatTemplate() ? "yes" : "none");
    for (String note : model.notes()) line(text, "note", note);
    return text.toString();
  }

  /** One line a tensor, in the order of the model. */
  public static String formatTensors(List<WeightMatrix> tensors) {
    final StringBuilder text = new StringBuilder();
    for (WeightMatrix tensor : tensors) {
      text.append(
          String.format(
              Locale.ROOT,
              "  %-44s %-5s %12s %12s\n",
              tensor.name(),
              tensor.type(),
              tensor.rowCount() + " x " + tensor.columnCount(),
              Quantities.bytes(tensor.data().byteSize())));
    }
    return text.toString();
  }

  /** Bytes of one token's keys and values in all layers. */
  static long kvBytesPerToken(ModelConfig config, KvType type) {
    final int heads = config.keyValueHeadCount();
    return new KvLayout(config.layerCount(), heads, config.headSize(), type, 1).blockBytes();
  }

  private static String types(ModelSummary model) {
    return model.tensorTypes().stream()
        .map(use ->
            "%d x %s (%s)"
                .formatted(use.tensorCount(), use.type(), Quantities.bytes(use.byteCount())))
        .collect(Collectors.joining(", "));
  }

  private static String feedForward(ModelConfig config) {
    final FeedForwardVariant.Experts experts = config.feedForward().experts();
    if (experts == null) return Quantities.grouped(config.intermediateSize());
    final String shared =
        experts.sharedSize() == 0
            ? ""
            : ", and one of %s".formatted(Quantities.grouped(experts.sharedSize()));
    return "of %d experts of %s, %d at a time%s"
        .formatted(
            experts.count(),
            Quantities.grouped(experts.intermediateSize()),
            experts.usedCount(),
            shared);
  }

  private static String attention(ModelConfig config) {
    return "%d heads of %d, %d key/value heads%s%s%s"
        .formatted(
            config.headCount(),
            config.headSize(),
            config.keyValueHeadCount(),
            config.attentionBias() ? ", biases" : "",
            config.queryKeyNorm() ? ", query and key norms" : "",
            window(config));
  }

  private static String window(ModelConfig config) {
    final AttentionVariant.Window window = config.attention().window();
    if (window == null) return "";
    final long layers = window.layers().stream().filter(isWindowed -> isWindowed).count();
    return ", a window of %s tokens in %d of %d layers"
        .formatted(Quantities.grouped(window.length()), layers, config.layerCount());
  }

  private static String rope(ModelConfig config) {
    final String scaling =
        switch (config.ropeScaling()) {
          case RopeScaling.None _ -> "not scaled";
          case RopeScaling.Linear linear -> "scaled by " + number(linear.factor());
          case RopeScaling.Llama3 llama3 ->
              "scaled by %s above %s tokens (llama3)"
                  .formatted(
                      number(llama3.factor()), Quantities.grouped(llama3.originalContextLength()));
          case RopeScaling.Yarn yarn ->
              "scaled by %s above %s tokens (yarn)"
                  .formatted(
                      number(yarn.factor()), Quantities.grouped(yarn.originalContextLength()));
          case RopeScaling.LongRope longRope ->
              "divisors of their own above %s tokens (longrope)"
                  .formatted(Quantities.grouped(longRope.originalContextLength()));
          case RopeScaling.PerPair _ -> "divisors from the file";
        };
    return "theta %s, %s, %s"
        .formatted(
            number(config.ropeTheta()),
            config.ropeLayout().name().toLowerCase(Locale.ROOT),
            scaling);
  }

  private static String sampling(ModelSummary model) {
    final List<String> advised = new ArrayList<>();
    model.defaults().temperature().ifPresent(value -> advised.add("temperature " + number(value)));
    model.defaults().topP().ifPresent(value -> advised.add("top_p " + number(value)));
    model.defaults().topK().ifPresent(value -> advised.add("top_k " + value));
    return advised.isEmpty() ? "nothing advised" : String.join(", ", advised);
  }

  private static String number(double value) {
    return value == Math.rint(value)
        ? Quantities.grouped((long) value)
        : Float.toString((float) value);
  }

  private static void line(StringBuilder text, String label, String value) {
    text.append(String.format(Locale.ROOT, "  %-14s%s\n", label, value));
  }
}
