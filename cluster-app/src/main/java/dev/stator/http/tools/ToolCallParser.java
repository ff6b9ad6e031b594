package dev.stator.http.tools;

import java.util.ArrayList;
import java.util.List;

/**
 * Finds the tool calls in one choice's text, as it comes.
 *
 * <ul>
 *   <li>Text is passed on at once; only what may be the beginning of a call is held back.
 *   <li>A call begins once its name, one of the request's tools, and the opening brace of its
 *       arguments are there. What breaks off or goes wrong before is text, nothing of it lost.
 *   <li>Arguments are passed on as they come. Where the answer ends among them, the call stays
 *       incomplete, as the answer does.
 *   <li>The joined pieces are the same however the text was cut.
 * </ul>
 *
 * One thread at a time.
 */
public interface ToolCallParser {
  /** Takes more text; returns the pieces that are now certain. */
  List<Piece> add(String text);

  /** The text has ended; returns what was held back. */
  List<Piece> finish();

  /** Takes a whole answer; for a fresh parser, which is then used up. */
  default ParsedAnswer parse(String text) {
    final List<Piece> pieces = new ArrayList<>(add(text));
    pieces.addAll(finish());
    return ParsedAnswer.of(pieces);
  }
}
