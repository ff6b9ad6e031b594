package dev.stator.request;

import dev.stator.engine.SamplingParams;
import dev.stator.model.Pooling;
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
 * @param pooling makes an embedding of the prompt in place of an answer; {@code null} for an answer
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
    boolean showsPlacements,
    Pooling pooling) {
  public GenerationCall {
    stopStrings = List.copyOf(stopStrings);
  }

  /** A call for an answer. */
  public GenerationCall(
      String requestId,
      String model,
      int[] promptTokens,
      SamplingParams sampling,
      int choiceCount,
      List<String> stopStrings,
      String cacheSalt,
      boolean showsSpecialTokens,
      boolean showsPlacements) {
    this(
        requestId,
        model,
        promptTokens,
        sampling,
        choiceCount,
        stopStrings,
        cacheSalt,
        showsSpecialTokens,
        showsPlacements,
        null);
  }

  /** A call for the embedding of a text. */
  public static GenerationCall embedding(
      String requestId, String model, int[] tokens, Pooling pooling, String cacheSalt) {
    return new GenerationCall(
        requestId,
        model,
        tokens,
        SamplingParams.greedy(1),
        1,
        List.of(),
        cacheSalt,
        false,
        false,
        pooling);
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
