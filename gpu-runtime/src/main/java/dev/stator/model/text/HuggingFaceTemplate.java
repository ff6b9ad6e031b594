package dev.stator.model.text;

import java.util.Optional;

/**
 * Reads {@code post_processor} of a tokenizer.json, for the token that it puts in front of a text.
 */
final class HuggingFaceTemplate {
  private HuggingFaceTemplate() {}

  /** The spelling of the token that a text begins with. */
  static Optional<String> beginToken(JsonPart part) {
    final String type = part.type();
    return switch (type) {
      case "ByteLevel" -> Optional.empty(); // It moves offsets, nothing else.
      case "TemplateProcessing" -> ofTemplate(part);
      case "Sequence" -> {
        Optional<String> found = Optional.empty();
        for (JsonPart step : part.required("processors").elements()) {
          final Optional<String> begin = beginToken(step);
          if (found.isPresent() && begin.isPresent()) {
            throw step.unsupported("a second token in front of the text");
          }
          found = found.or(() -> begin);
        }
        yield found;
      }
      default -> throw part.unsupported("the post-processor " + Excerpt.of(type));
    };
  }

  private static Optional<String> ofTemplate(JsonPart part) {
    Optional<String> begin = Optional.empty();
    boolean hasText = false;
    for (JsonPart piece : part.required("single").elements()) {
      if (piece.optional("Sequence").isPresent()) {
        if (hasText) throw piece.unsupported("the text a second time");
        hasText = true;
        continue;
      }
      if (hasText || begin.isPresent()) {
        throw piece.unsupported("another token than one in front of the text");
      }
      begin = Optional.of(piece.required("SpecialToken").required("id").string());
    }
    return begin;
  }
}
