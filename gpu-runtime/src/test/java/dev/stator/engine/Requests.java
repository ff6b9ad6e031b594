package dev.stator.engine;

import java.util.Map;
import java.util.Set;

/** Sampling parameters that differ from plain ones in a thing or two. */
final class Requests {
  float temperature = 0;
  int topK = 0;
  float topP = 1;
  float minP = 0;
  float repetitionPenalty = 1;
  float presencePenalty = 0;
  float frequencyPenalty = 0;
  Map<Integer, Float> logitBias = Map.of();
  long seed = 0;
  int maxTokens = 8;
  int minTokens = 0;
  Set<Integer> stopTokenIds = Set.of();
  boolean ignoreEnd = false;
  boolean logprobs = false;
  int topLogprobs = 0;
  String constraint = "";

  SamplingParams params() {
    return new SamplingParams(
        temperature,
        topK,
        topP,
        minP,
        repetitionPenalty,
        presencePenalty,
        frequencyPenalty,
        logitBias,
        seed,
        maxTokens,
        minTokens,
        stopTokenIds,
        ignoreEnd,
        logprobs,
        topLogprobs,
        constraint);
  }

  /** A request for {@code params} behind a prompt. */
  GenerationRequest request(String id, int... prompt) {
    return new GenerationRequest(new RequestId(id), prompt, prompt.length, params(), "");
  }

  /** A request that brings the answer so far. */
  GenerationRequest moved(String id, int promptLength, int... tokens) {
    return new GenerationRequest(new RequestId(id), tokens, promptLength, params(), "");
  }
}
