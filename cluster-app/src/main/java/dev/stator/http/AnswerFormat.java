package dev.stator.http;

import dev.stator.http.tools.ToolCallParser;
import java.util.List;
import java.util.function.Supplier;

/** How the events of a generation become an answer. */
interface AnswerFormat {
  /** A writer of one stream of chunks. */
  EventWriter chunks();

  /** A writer of one whole answer. */
  EventWriter whole();

  /** The answer of {@code /v1/chat/completions}. */
  static AnswerFormat chat(AnswerHead head, boolean hasLogprobs, Supplier<ToolCallParser> parsers) {
    return new AnswerFormat() {
      @Override
      public EventWriter chunks() {
        return new ChatChunkWriter(head, parsers);
      }

      @Override
      public EventWriter whole() {
        return new ChatAnswerWriter(head, hasLogprobs, parsers);
      }
    };
  }

  /**
   * The answer of {@code /v1/embeddings}.
   *
   * @param head of as many choices as inputs
   * @param dimensions values of each embedding; 0 for all
   * @param isBase64 whether they are written as the base64 of little-endian floats
   */
  static AnswerFormat embeddings(AnswerHead head, int dimensions, boolean isBase64) {
    return new AnswerFormat() {
      @Override
      public EventWriter chunks() {
        throw new IllegalStateException("embeddings are not streamed");
      }

      @Override
      public EventWriter whole() {
        return new EmbeddingAnswerWriter(head, dimensions, isBase64);
      }
    };
  }

  /**
   * The answer of {@code /v1/completions}.
   *
   * @param echoes what each choice's text begins with; empty for nothing
   */
  static AnswerFormat completion(AnswerHead head, List<String> echoes) {
    return new AnswerFormat() {
      @Override
      public EventWriter chunks() {
        return new CompletionChunkWriter(head, echoes);
      }

      @Override
      public EventWriter whole() {
        return new CompletionAnswerWriter(head, echoes);
      }
    };
  }
}
