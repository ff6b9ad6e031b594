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
 * @param showsSpecialTokens whether the text has the answer's special tokens in it, as the marks of
 *     some models' tool calls are; the token that ends an answer is never shown
 * @param showsPlacements whether {@link GenerationEvent.Placed} is told
 */
public record GenerationCall(
    String requestId,
    String model,
    int[] promptTokens,
    SamplingParams sampling,
    int choiceCount,
    List<String> stopStrings,
    String cacheSalt,
    boolean showsSpecialTokens,
    boolean showsPlacements) {
  public GenerationCall {
    stopStrings = List.copyOf(stopStrings);
  }

  /** A call whose text is without special tokens, and which is not told where it runs. */
  public GenerationCall(
      String requestId,
      String model,
      int[] promptTokens,
      SamplingParams sampling,
      int choiceCount,
      List<String> stopStrings,
      String cacheSalt) {
    this(
        requestId,
        model,
        promptTokens,
        sampling,
        choiceCount,
        stopStrings,
        cacheSalt,
        false,
        false);
  }
}
