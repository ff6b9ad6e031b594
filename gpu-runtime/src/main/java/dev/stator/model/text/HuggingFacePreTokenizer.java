package dev.stator.model.text;

import java.util.List;
import java.util.Optional;

/**
 * Reads {@code pre_tokenizer} of a tokenizer.json.
 *
 * @param rewriter what happens to a text before it is cut
 * @param isByteLevel whether the words' bytes are spelt in GPT-2's alphabet
 */
record HuggingFacePreTokenizer(TextRewriter rewriter, Splitter splitter, boolean isByteLevel) {
  private static final HuggingFacePreTokenizer NONE =
      new HuggingFacePreTokenizer(TextRewriter.NONE, Splitter.WHOLE, false);

  static HuggingFacePreTokenizer read(Optional<JsonPart> part) {
    return part.map(present -> NONE.with(present)).orElse(NONE);
  }

  /** This one, followed by the one that the part describes. */
  private HuggingFacePreTokenizer with(JsonPart part) {
    final String type = part.type();
    if (type.equals("Sequence")) {
      HuggingFacePreTokenizer all = this;
      for (JsonPart step : part.required("pretokenizers").elements()) all = all.with(step);
      return all;
    }
    if (isByteLevel) throw part.unsupported(Excerpt.of(type) + " after ByteLevel");
    return switch (type) {
      case "Split" -> then(split(part));
      case "Digits" -> then(digits(part.flag("individual_digits", false)));
      case "Punctuation" -> {
        final Optional<JsonPart> behavior = part.optional("behavior");
        yield then(
            new MatchSplitter(
                MatchFinder.runs(CodePoints::isPunctuation, 1),
                behavior.map(said -> behavior(said)).orElse(MatchSplitter.Behavior.ISOLATED),
                false));
      }
      case "ByteLevel" -> byteLevel(part);
      case "Metaspace" -> metaspace(part);
      default -> throw part.unsupported("the pre-tokenizer " + Excerpt.of(type));
    };
  }

  private HuggingFacePreTokenizer then(Splitter next) {
    return new HuggingFacePreTokenizer(rewriter, splitter.then(next), isByteLevel);
  }

  private HuggingFacePreTokenizer byteLevel(JsonPart part) {
    final TextRewriter spaced =
        part.flag("add_prefix_space", true)
            ? beforeSplitting(part, (text, isFirst) -> text.startsWith(" ") ? text : " " + text)
            : rewriter;
    final Splitter words =
        part.flag("use_regex", true)
            ? splitter.then(PreTokenizers.splitter(PreTokenizers.GPT2))
            : splitter;
    return new HuggingFacePreTokenizer(spaced, words, true);
  }

  private HuggingFacePreTokenizer metaspace(JsonPart part) {
    final String replacement = part.required("replacement").string();
    if (replacement.codePointCount(0, replacement.length()) != 1) {
      throw part.required("replacement").expected("one character");
    }
    final boolean mayPrefix = part.flag("add_prefix_space", true);
    final String scheme = part.optional("prepend_scheme").map(JsonPart::string).orElse("always");
    if (!List.of("always", "first", "never").contains(scheme)) {
      throw part.required("prepend_scheme").expected("'always', 'first' or 'never'");
    }
    final boolean always = mayPrefix && scheme.equals("always");
    final boolean first = mayPrefix && scheme.equals("first");
    final TextRewriter spaced =
        beforeSplitting(
            part,
            (text, isFirst) -> {
              final String replaced = text.replace(" ", replacement);
              final boolean prefixes = always || first && isFirst;
              return prefixes && !replaced.startsWith(replacement)
                  ? replacement + replaced
                  : replaced;
            });
    final Splitter words =
        part.flag("split", true)
            ? new MatchSplitter(
                MatchFinder.literal(replacement), MatchSplitter.Behavior.MERGED_WITH_NEXT, false)
            : Splitter.WHOLE;
    return new HuggingFacePreTokenizer(spaced, splitter.then(words), false);
  }

  private TextRewriter beforeSplitting(JsonPart part, TextRewriter added) {
    if (splitter != Splitter.WHOLE) {
      throw part.unsupported("a prefix for each word of the pre-tokenizer before it");
    }
    return rewriter.then(added);
  }

  private static Splitter split(JsonPart part) {
    final JsonPart pattern = part.required("pattern");
    final MatchSplitter.Behavior behavior = behavior(part.required("behavior"));
    final boolean inverted = part.flag("invert", false);
    final Optional<JsonPart> regex = pattern.optional("Regex");
    return regex.isPresent()
        ? PreTokenizers.splitter(regex.get().string(), behavior, inverted)
        : new MatchSplitter(
            MatchFinder.literal(HuggingFaceNormalizer.literal(pattern)), behavior, inverted);
  }

  private static Splitter digits(boolean isIndividual) {
    return new MatchSplitter(
        MatchFinder.runs(
            c -> (CodePoints.classes(c) & CodePoints.NUMBER) != 0,
            isIndividual ? 1 : Integer.MAX_VALUE),
        MatchSplitter.Behavior.ISOLATED,
        false);
  }

  private static MatchSplitter.Behavior behavior(JsonPart part) {
    return switch (part.string()) {
      case "Isolated" -> MatchSplitter.Behavior.ISOLATED;
      case "Removed" -> MatchSplitter.Behavior.REMOVED;
      case "Contiguous" -> MatchSplitter.Behavior.CONTIGUOUS;
      case "MergedWithPrevious" -> MatchSplitter.Behavior.MERGED_WITH_PREVIOUS;
      case "MergedWithNext" -> MatchSplitter.Behavior.MERGED_WITH_NEXT;
      default ->
          throw part.expected(
              "Isolated, Removed, Contiguous, MergedWithPrevious or MergedWithNext");
    };
  }
}
