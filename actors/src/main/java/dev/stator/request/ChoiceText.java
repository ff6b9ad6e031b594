package dev.stator.request;

import dev.stator.engine.FinishReason;
import dev.stator.engine.SampledToken;
import dev.stator.model.text.IncrementalDecoder;
import dev.stator.model.text.Tokenizer;
import dev.stator.protocol.WorkerAnswer.SequenceTokens;
import dev.stator.request.GenerationEvent.TokenLogprob;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Turns one choice's tokens into text: decodes, looks for stop strings, spells log-probabilities.
 * The token that ends an answer is counted, but is neither text nor among the log-probabilities.
 * One thread.
 */
final class ChoiceText {
  /**
   * What tokens came to.
   *
   * @param tokenCount taken; fewer than given when a stop string ended the answer
   * @param finish {@code null} while the answer goes on
   */
  record News(String text, int tokenCount, List<TokenLogprob> logprobs, FinishReason finish) {}

  private final Tokenizer tokenizer;
  private final IncrementalDecoder decoder;
  private final StopMatcher stops;
  private final int minTokens;
  private final boolean wantsLogprobs;
  private int[] tokens = new int[64]; // Bounded by max tokens.
  private int tokenCount;

  ChoiceText(Tokenizer tokenizer, GenerationCall call) {
    this.tokenizer = tokenizer;
    this.decoder = tokenizer.incrementalDecoder(!call.showsSpecialTokens());
    this.stops = new StopMatcher(call.stopStrings());
    this.minTokens = call.sampling().minTokens();
    this.wantsLogprobs = call.sampling().logprobs();
  }

  int tokenCount() {
    return tokenCount;
  }

  /** The answer behind its prompt. */
  int[] behind(int[] prompt) {
    final int[] all = Arrays.copyOf(prompt, prompt.length + tokenCount);
    System.arraycopy(tokens, 0, all, prompt.length, tokenCount);
    return all;
  }

  /** Takes tokens that follow those taken before. */
  News accept(SequenceTokens sequence) {
    final StringBuilder text = new StringBuilder();
    final List<TokenLogprob> logprobs = new ArrayList<>();
    final int before = tokenCount;
    for (int i = 0; i < sequence.tokens().size() && !stops.stopped(); i++) {
      final SampledToken token = sequence.tokens().get(i);
      append(token.tokenId());
      final boolean isLast = i == sequence.tokens().size() - 1;
      if (isLast && sequence.finish() == FinishReason.STOP) break; // The stop token itself.
      text.append(stops.accept(decoder.add(token.tokenId()), tokenCount >= minTokens));
      if (wantsLogprobs) logprobs.add(logprob(token));
    }
    FinishReason finish = stops.stopped() ? FinishReason.STOP : sequence.finish();
    if (finish != null && !stops.stopped()) {
      text.append(stops.accept(decoder.finish(), tokenCount >= minTokens)).append(stops.finish());
      if (stops.stopped()) finish = FinishReason.STOP;
    }
    return new News(text.toString(), tokenCount - before, logprobs, finish);
  }

  private void append(int tokenId) {
    if (tokenCount == tokens.length) tokens = Arrays.copyOf(tokens, 2 * tokens.length);
    tokens[tokenCount++] = tokenId;
  }

  private TokenLogprob logprob(SampledToken token) {
    final List<TokenLogprob> top =
        token.alternatives().stream()
            .map(other -> spell(other.tokenId(), other.logprob(), List.of()))
            .toList();
    return spell(token.tokenId(), token.logprob(), top);
  }

  private TokenLogprob spell(int tokenId, float logprob, List<TokenLogprob> top) {
    final byte[] bytes = tokenizer.tokenBytes(tokenId);
    return new TokenLogprob(new String(bytes, StandardCharsets.UTF_8), bytes, logprob, top);
  }
}
