package dev.stator.request;

import dev.stator.engine.SamplingParams;
import java.util.List;

/**
 * What a client asks for, checked and tokenized.
 *
 * @param requestId unique; appears in logs and in the answer
 * @param model the name it is served under
 * @param promptTokens owned by the call, never written
 * @param sampling of the first choice; choice {@code i} of several draws from a seed derived from
 *     it
 * @param choiceCount answers to the same prompt (OpenAI's {@code n}); they share the prompt's
 *     blocks
 * @param stopStrings texts that end an answer and are not part of it
 * @param cacheSalt keeps a tenant's blocks to itself; empty for shared
 */
public record GenerationCall(
    String requestId,
    String model,
    int[] promptTokens,
    SamplingParams sampling,
    int choiceCount,
    List<String> stopStrings,
    String cacheSalt) {
  public GenerationCall {
    stopStrings = List.copyOf(stopStrings);
  }
}
