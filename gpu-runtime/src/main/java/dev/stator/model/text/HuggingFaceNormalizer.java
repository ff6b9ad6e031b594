package dev.stator.model.text;

import java.text.Normalizer;

/** Reads {@code normalizer} of a tokenizer.json. */
final class HuggingFaceNormalizer {
  /**
   * Marks in a row that are normalized together. The JDK sorts a run of marks in quadratic time; no
   * script comes near this many.
   */
  static final int MARKS_MAX = 256;

  /** The longest text, in characters, that may be put in; it bounds how much a text grows. */
  static final int INSERTED_LENGTH_MAX = 64;

  private HuggingFaceNormalizer() {}

  static TextRewriter read(JsonPart part) {
    final String type = part.type();
    return switch (type) {
      case "Sequence" ->
          part.required("normalizers").elements().stream()
              .map(HuggingFaceNormalizer::read)
              .reduce(TextRewriter.NONE, TextRewriter::then);
      case "NFC" -> unicode(Normalizer.Form.NFC);
      case "NFD" -> unicode(Normalizer.Form.NFD);
      case "NFKC" -> unicode(Normalizer.Form.NFKC);
      case "NFKD" -> unicode(Normalizer.Form.NFKD);
      case "Prepend" -> {
        final String prefix = inserted(part.required("prepend"));
        yield (text, isFirst) -> prefix + text;
      }
      case "Replace" -> {
        final String searched = literal(part.required("pattern"));
        final String content = inserted(part.required("content"));
        yield (text, isFirst) -> text.replace(searched, content);
      }
      default -> throw part.unsupported("the normalizer " + Excerpt.of(type));
    };
  }

  /** The text of a {@code {"String": ...}} pattern. */
  static String literal(JsonPart pattern) {
    final String literal =
        pattern
            .optional("String")
            .orElseThrow(() -> pattern.unsupported("a pattern that is not a \"String\""))
            .string();
    if (literal.isEmpty()) throw pattern.expected("a pattern that is not empty");
    return literal;
  }

  private static String inserted(JsonPart part) {
    if (part.string().length() > INSERTED_LENGTH_MAX) {
      throw part.expected("at most %d characters".formatted(INSERTED_LENGTH_MAX));
    }
    return part.string();
  }

  private static TextRewriter unicode(Normalizer.Form form) {
    return (text, isFirst) -> {
      final StringBuilder normalized = new StringBuilder(text.length());
      int start = 0;
      while (start < text.length()) {
        final int end = boundary(text, start);
        normalized.append(Normalizer.normalize(text.substring(start, end), form));
        start = end;
      }
      return normalized.toString();
    };
  }

  /** The end of the text, or of its first run of {@link #MARKS_MAX} marks. */
  private static int boundary(String text, int start) {
    int marks = 0;
    int at = start;
    while (at < text.length() && marks < MARKS_MAX) {
      final int codePoint = text.codePointAt(at);
      final boolean isMark = (CodePoints.classes(codePoint) & CodePoints.MARK) != 0;
      marks = isMark ? marks + 1 : 0;
      at += Character.charCount(codePoint);
    }
    return at;
  }
}
