package dev.stator.http.tools;

import java.util.ArrayList;
import java.util.List;

/**
 * A whole answer.
 *
 * @param content all text that is not part of a call; may be empty
 */
public record ParsedAnswer(String content, List<Call> calls) {
  /**
   * One call.
   *
   * @param arguments the raw JSON object, incomplete where the answer was cut off
   */
  public record Call(String id, String name, String arguments) {}

  public ParsedAnswer {
    calls = List.copyOf(calls);
  }

  /** Joins the pieces of one answer. */
  public static ParsedAnswer of(List<Piece> pieces) {
    final StringBuilder content = new StringBuilder();
    final List<Piece.CallStarted> started = new ArrayList<>();
    final List<StringBuilder> arguments = new ArrayList<>();
    for (final Piece piece : pieces) {
      switch (piece) {
        case Piece.Content(String text) -> content.append(text);
        case Piece.CallStarted call -> {
          started.add(call);
          arguments.add(new StringBuilder());
        }
        case Piece.ArgumentsDelta(int index, String json) -> arguments.get(index).append(json);
      }
    }
    final List<Call> calls = new ArrayList<>();
    for (int i = 0; i < started.size(); i++) {
      calls.add(new Call(started.get(i).id(), started.get(i).name(), arguments.get(i).toString()));
    }
    return new ParsedAnswer(content.toString(), calls);
  }
}
