package dev.stator.model.file;

import dev.stator.model.GenerationDefaults;
import dev.stator.model.ModelFormatException;
import dev.stator.model.ModelWeights;
import dev.stator.model.Pooling;
import dev.stator.model.text.Tokenizer;
import dev.stator.model.text.Tokenizers;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** Makes a model of a GGUF file. */
final class GgufModel {
  private static final List<String> END_TOKEN_KEYS =
      List.of(
          "tokenizer.ggml.eos_token_id",
          "tokenizer.ggml.eot_token_id",
          "tokenizer.ggml.eom_token_id");

  private GgufModel() {}

  static ModelParts read(GgufFile file) {
    final GgufMetadata metadata = file.metadata();
    final ModelShape shape = GgufShape.read(file);
    final ModelWeights weights = WeightAssembler.assemble(file, shape.names(), shape.config());
    return ModelParts.of("gguf", shape, weights, text(metadata));
  }

  /** What the metadata alone says; no tensor is needed. */
  static ModelText text(GgufMetadata metadata) {
    final Tokenizer tokenizer = Tokenizers.fromGguf(metadata);
    return new ModelText(
        tokenizer,
        tokenizerKind(metadata),
        ModelParts.compileTemplate(
            metadata.string("tokenizer.chat_template").orElse(null),
            tokenText(tokenizer, tokenizer.beginTokenId()),
            tokenText(tokenizer, metadata.int32("tokenizer.ggml.eos_token_id"))),
        defaults(metadata, tokenizer));
  }

  private static GenerationDefaults defaults(GgufMetadata metadata, Tokenizer tokenizer) {
    final EndTokens endTokens = new EndTokens(tokenizer);
    for (String key : END_TOKEN_KEYS) endTokens.add(key, metadata.int32(key));
    return new Sampling(
            metadata.floating("general.sampling.temp"),
            metadata.floating("general.sampling.top_p"),
            metadata.int32("general.sampling.top_k"))
        .with(endTokens.ids())
        .with(pooling(metadata));
  }

  /** Numbers as in llama.cpp's {@code enum llama_pooling_type}. */
  private static Optional<Pooling> pooling(GgufMetadata metadata) {
    final String key = metadata.requireString("general.architecture") + ".pooling_type";
    final int type = metadata.int32(key).orElse(0);
    return switch (type) {
      case 0 -> Optional.empty();
      case 1 -> Optional.of(Pooling.MEAN);
      case 3 -> Optional.of(Pooling.LAST);
      default ->
          throw new ModelFormatException(
              "%s is %d, supported are 0 (none), 1 (mean) and 3 (last)".formatted(key, type));
    };
  }

  private static String tokenizerKind(GgufMetadata metadata) {
    final String model = metadata.requireString("tokenizer.ggml.model");
    return Messages.oneLine(
        metadata.string("tokenizer.ggml.pre").map(pre -> model + ", " + pre).orElse(model));
  }

  private static String tokenText(Tokenizer tokenizer, OptionalInt id) {
    if (id.isEmpty()) return null;
    if (id.getAsInt() < 0 || id.getAsInt() >= tokenizer.vocabularySize()) {
      throw new ModelFormatException(
          "the end token is %d, which is not one of the %d tokens"
              .formatted(id.getAsInt(), tokenizer.vocabularySize()));
    }
    return new String(tokenizer.tokenBytes(id.getAsInt()), StandardCharsets.UTF_8);
  }
}
