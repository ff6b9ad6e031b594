package dev.stator.model.text;

import java.util.List;
import java.util.OptionalInt;
import java.util.function.Predicate;

/** A tokenizer put together from a vocabulary and the way of a text through it. */
final class VocabularyTokenizer implements Tokenizer {
  /**
   * What the model says of its tokenizer's edges.
   *
   * @param stripsLeadingSpace whether the decoded text loses one space at its start, which encoding
   *     has put there
   */
  record Edges(OptionalInt beginTokenId, boolean addsBeginToken, boolean stripsLeadingSpace) {}

  /** The searches for added tokens, in raw and in normalized text. */
  private record Matchers(AddedTokenMatcher raw, AddedTokenMatcher normalized) {}

  private final Vocabulary vocabulary;
  private final Edges edges;
  private final TextPipeline pipeline;
  private final Matchers parsed;
  private final Matchers plain;

  VocabularyTokenizer(Vocabulary vocabulary, Edges edges, TextPipeline pipeline) {
    this.vocabulary = vocabulary;
    this.edges = edges;
    this.pipeline = pipeline;
    parsed = matchers(token -> true);
    plain = matchers(token -> !token.special());
  }

  @Override
  public int vocabularySize() {
    return vocabulary.size();
  }

  @Override
  public int[] encode(String text, SpecialText specialText) {
    final String clean = Utf8.withoutUnpairedSurrogates(text);
    final IntArray ids = new IntArray(clean.length() / 3);
    final Matchers matchers = specialText == SpecialText.PARSED ? parsed : plain;
    matchers.raw.cut(
        clean,
        0,
        clean.length(),
        new TokenParts(ids) {
          @Override
          public void text(int start, int end) {
            encodePart(clean, start, end, matchers.normalized, ids);
          }
        });
    return ids.toArray();
  }

  @Override
  public byte[] tokenBytes(int tokenId) {
    return vocabulary.bytes(tokenId).clone();
  }

  @Override
  public boolean isSpecial(int tokenId) {
    return vocabulary.isSpecial(tokenId);
  }

  @Override
  public OptionalInt tokenId(String text) {
    final int id = vocabulary.find(text);
    return id == TokenIndex.ABSENT ? OptionalInt.empty() : OptionalInt.of(id);
  }

  @Override
  public OptionalInt beginTokenId() {
    return edges.beginTokenId;
  }

  @Override
  public boolean addsBeginToken() {
    return edges.addsBeginToken;
  }

  @Override
  public String decode(int[] tokenIds, boolean skipSpecial) {
    final StreamDecoder decoder = incrementalDecoder(skipSpecial);
    for (int id : tokenIds) decoder.take(id);
    return decoder.finish();
  }

  @Override
  public StreamDecoder incrementalDecoder(boolean skipSpecial) {
    return new StreamDecoder(vocabulary, skipSpecial, edges.stripsLeadingSpace);
  }

  private void encodePart(
      String text, int start, int end, AddedTokenMatcher normalizedTokens, IntArray ids) {
    if (pipeline.normalizer() == TextRewriter.NONE && normalizedTokens.isEmpty()) {
      encodeText(text, start, end, start == 0, ids);
      return;
    }
    final String normalized = pipeline.normalizer().rewrite(text.substring(start, end), start == 0);
    normalizedTokens.cut(
        normalized,
        0,
        normalized.length(),
        new TokenParts(ids) {
          @Override
          public void text(int from, int to) {
            encodeText(normalized, from, to, start == 0 && from == 0, ids);
          }
        });
  }

  private void encodeText(String text, int start, int end, boolean isFirst, IntArray ids) {
    final Splitter.WordSink sink =
        (word, from, to) -> pipeline.encoder().encode(word, from, to, ids);
    if (pipeline.rewriter() == TextRewriter.NONE) {
      pipeline.splitter().split(text, start, end, sink);
      return;
    }
    final String rewritten = pipeline.rewriter().rewrite(text.substring(start, end), isFirst);
    pipeline.splitter().split(rewritten, 0, rewritten.length(), sink);
  }

  private Matchers matchers(Predicate<AddedToken> isSearched) {
    final List<AddedToken> searched = pipeline.added().stream().filter(isSearched).toList();
    final List<AddedToken> raw = searched.stream().filter(token -> !token.normalized()).toList();
    final List<AddedToken> normalized =
        searched.stream()
            .filter(AddedToken::normalized)
            .map(token -> token.withContent(pipeline.normalizer().rewrite(token.content(), true)))
            .filter(token -> !token.content().isEmpty())
            .toList();
    return new Matchers(new AddedTokenMatcher(raw), new AddedTokenMatcher(normalized));
  }

  /** Takes the tokens of a cut; what becomes of the text between is the caller's. */
  private abstract static class TokenParts implements AddedTokenMatcher.Parts {
    private final IntArray ids;

    TokenParts(IntArray ids) {
      this.ids = ids;
    }

    @Override
    public final void token(int id) {
      ids.add(id);
    }
  }
}
