package dev.stator.engine;

import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * How the next token is chosen. Checked by whoever takes it from a user; the constructor only
 * guards against bugs.
 *
 * <p>Order: penalties and bias on the logits, then (unless greedy) temperature, top-k, top-p,
 * min-p, then one draw from a counter-based generator keyed by {@code (seed, position)}.
 *
 * @param temperature 0 is greedy
 * @param topK at most this many candidates; 0 for all
 * @param topP smallest set of candidates whose probability reaches this; 1 for all
 * @param minP candidates at least this fraction as likely as the likeliest; 0 for all
 * @param repetitionPenalty divides positive and multiplies negative logits of tokens in prompt or
 *     answer; 1 for none
 * @param presencePenalty subtracted once for tokens in the answer
 * @param frequencyPenalty subtracted for each occurrence in the answer
 * @param logitBias added to the logits, by token id
 * @param seed keys every draw
 * @param maxTokens answer tokens at most
 * @param minTokens answer tokens before an end or stop token may be chosen
 * @param stopTokenIds tokens that end the answer besides the model's own
 * @param ignoreEnd whether the model's end tokens are ordinary tokens
 * @param logprobs whether each token carries its log-probability: of the model's own distribution,
 *     before penalties, bias, temperature and cuts (vLLM's {@code raw_logprobs}, its default);
 *     under a constraint, of the tokens that it allows, as with vLLM
 * @param topLogprobs how many alternatives each token carries; needs {@code logprobs}
 * @param constraint what the answer's text must be, as {@link
 *     dev.stator.model.grammar.Constraint#toText} says it; empty for anything
 */
public record SamplingParams(
    float temperature,
    int topK,
    float topP,
    float minP,
    float repetitionPenalty,
    float presencePenalty,
    float frequencyPenalty,
    Map<Integer, Float> logitBias,
    long seed,
    int maxTokens,
    int minTokens,
    Set<Integer> stopTokenIds,
    boolean ignoreEnd,
    boolean logprobs,
    int topLogprobs,
    String constraint) {
  public SamplingParams {
    Objects.requireNonNull(constraint);
    logitBias = Map.copyOf(logitBias);
    stopTokenIds = Set.copyOf(stopTokenIds);
    if (!(temperature >= 0))
      throw new IllegalArgumentException("temperature must be >= 0: " + temperature);
    if (topK < 0) throw new IllegalArgumentException("top_k must be >= 0: " + topK);
    if (!(topP > 0 && topP <= 1))
      throw new IllegalArgumentException("top_p must be in (0, 1]: " + topP);
    if (!(minP >= 0 && minP <= 1))
      throw new IllegalArgumentException("min_p must be in [0, 1]: " + minP);
    if (!(repetitionPenalty > 0)) {
      throw new IllegalArgumentException("repetition_penalty must be > 0: " + repetitionPenalty);
    }
    if (maxTokens <= 0)
      throw new IllegalArgumentException("max_tokens must be positive: " + maxTokens);
    if (minTokens < 0) throw new IllegalArgumentException("min_tokens must be >= 0: " + minTokens);
    if (topLogprobs < 0)
      throw new IllegalArgumentException("top_logprobs must be >= 0: " + topLogprobs);
  }

  /** The likeliest token each time, until an end token or {@code maxTokens}. */
  public static SamplingParams greedy(int maxTokens) {
    return new SamplingParams(
        0, 0, 1, 0, 1, 0, 0, Map.of(), 0, maxTokens, 0, Set.of(), false, false, 0, "");
  }
}
