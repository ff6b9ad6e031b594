package dev.stator.http.tools;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** Gathers characters into pieces. */
final class PieceBuffer {
  private final Supplier<String> ids;
  private final StringBuilder content = new StringBuilder();
  private final StringBuilder arguments = new StringBuilder();
  private List<Piece> pieces = new ArrayList<>();
  private int calls;

  PieceBuffer(Supplier<String> ids) {
    this.ids = ids;
  }

  void content(CharSequence text) {
    endArguments();
    content.append(text);
  }

  void startCall(String name) {
    endContent();
    endArguments();
    pieces.add(new Piece.CallStarted(calls++, ids.get(), name));
  }

  /** More arguments of the call that started last. */
  void arguments(CharSequence json) {
    arguments.append(json);
  }

  /** Everything gathered since the last time. */
  List<Piece> take() {
    endContent();
    endArguments();
    final List<Piece> taken = pieces;
    pieces = new ArrayList<>();
    return taken;
  }

  private void endContent() {
    if (!content.isEmpty()) {
      pieces.add(new Piece.Content(content.toString()));
      content.setLength(0);
    }
  }

  private void endArguments() {
    if (!arguments.isEmpty()) {
      pieces.add(new Piece.ArgumentsDelta(calls - 1, arguments.toString()));
      arguments.setLength(0);
    }
  }
}
