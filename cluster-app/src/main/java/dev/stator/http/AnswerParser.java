package dev.stator.http;

import java.util.List;

/** Finds the tool calls in one choice's text, as it comes. One thread at a time. */
interface AnswerParser {
  /** A part of an answer, in order. */
  sealed interface Part {
    /** Text for the reader; not empty. */
    record Text(String text) implements Part {}

    /**
     * A call begins.
     *
     * @param index 0 for the choice's first call
     */
    record CallStart(int index, String id, String name) implements Part {}

    /** More of a call's arguments: joined, they are JSON. */
    record CallArguments(int index, String json) implements Part {}
  }

  /** For answers without tools: all is text. */
  AnswerParser TEXT_ONLY =
      new AnswerParser() {
        @Override
        public List<Part> add(String text) {
          return text.isEmpty() ? List.of() : List.of(new Part.Text(text));
        }

        @Override
        public List<Part> finish() {
          return List.of();
        }
      };

  /** Takes more text; returns the parts that are now certain. */
  List<Part> add(String text);

  /** The text has ended; returns what was held back. */
  List<Part> finish();
}
