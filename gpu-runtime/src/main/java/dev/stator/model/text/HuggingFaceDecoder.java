package dev.stator.model.text;

import java.nio.charset.StandardCharsets;

/**
 * Reads {@code decoder} of a tokenizer.json: how a token's spelling becomes bytes.
 *
 * @param isByteLevel whether spellings are in GPT-2's alphabet
 * @param readsBytes whether {@code <0x0A>} is a byte
 * @param replaced what stands for {@code replacement} in spellings, as U+2581 for a space; or null
 * @param stripsLeadingSpace whether the decoded text loses a space at its start
 */
record HuggingFaceDecoder(
    boolean isByteLevel,
    boolean readsBytes,
    String replaced,
    String replacement,
    boolean stripsLeadingSpace) {
  private static final HuggingFaceDecoder NONE =
      new HuggingFaceDecoder(false, false, null, null, false);

  static HuggingFaceDecoder read(JsonPart part) {
    return NONE.with(part);
  }

  /** What a token that is not an added one stands for. */
  byte[] bytes(String spelling) {
    if (isByteLevel) {
      final byte[] bytes = ByteAlphabet.decode(spelling);
      if (bytes != null) return bytes;
    }
    final int value = readsBytes ? UnknownCharacters.byteOf(spelling) : -1;
    if (value >= 0) return new byte[] {(byte) value};
    final String text = replaced == null ? spelling : spelling.replace(replaced, replacement);
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private HuggingFaceDecoder with(JsonPart part) {
    final String type = part.type();
    return switch (type) {
      case "Sequence" -> {
        HuggingFaceDecoder all = this;
        for (JsonPart step : part.required("decoders").elements()) all = all.with(step);
        yield all;
      }
      case "ByteLevel" ->
          new HuggingFaceDecoder(true, readsBytes, replaced, replacement, stripsLeadingSpace);
      case "ByteFallback" ->
          new HuggingFaceDecoder(isByteLevel, true, replaced, replacement, stripsLeadingSpace);
      case "Fuse" -> this;
      case "Replace" ->
          replacing(
              part,
              HuggingFaceNormalizer.literal(part.required("pattern")),
              part.required("content").string());
      case "Strip" -> stripping(part);
      case "Metaspace" -> metaspace(part);
      default -> throw part.unsupported("the decoder " + Excerpt.of(type));
    };
  }

  private HuggingFaceDecoder replacing(JsonPart part, String pattern, String content) {
    if (replaced != null) throw part.unsupported("a second replacement");
    return new HuggingFaceDecoder(isByteLevel, readsBytes, pattern, content, stripsLeadingSpace);
  }

  private HuggingFaceDecoder stripping(JsonPart part) {
    final boolean isSpace = part.required("content").string().equals(" ");
    final int start = part.required("start").integer();
    final int stop = part.required("stop").integer();
    if (!isSpace || start < 0 || start > 1 || stop != 0) {
      throw part.unsupported("anything but one space to be stripped at the start");
    }
    return new HuggingFaceDecoder(isByteLevel, readsBytes, replaced, replacement, start == 1);
  }

  private HuggingFaceDecoder metaspace(JsonPart part) {
    final boolean prefixes =
        part.flag("add_prefix_space", true)
            && !part.optional("prepend_scheme").map(JsonPart::string).orElse("").equals("never");
    final HuggingFaceDecoder spaced = replacing(part, part.required("replacement").string(), " ");
    return new HuggingFaceDecoder(
        isByteLevel, readsBytes, spaced.replaced, spaced.replacement, prefixes);
  }
}
