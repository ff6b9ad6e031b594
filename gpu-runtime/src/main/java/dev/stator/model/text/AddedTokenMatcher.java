package dev.stator.model.text;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * Cuts a text at its added tokens: the leftmost, and of those that begin there the longest.
 * Immutable: any number of threads may use one.
 */
final class AddedTokenMatcher {
  /** The longest token that is searched; it bounds the work at each character. */
  static final int CONTENT_LENGTH_MAX = 1024;

  /** Takes the parts of a text in order. */
  interface Parts {
    /** What no token covers; not empty. */
    void text(int start, int end);

    void token(int id);
  }

  private static final int ROOT = 0;

  private final List<AddedToken> tokens = new ArrayList<>();
  private final BitSet firstChars = new BitSet();
  // A trie: (node, character) to node; and from a node to the token that ends there.
  private final PairTable edges;
  private final IntArray tokenOfNode = new IntArray(16);

  /**
   * @param added contents are not empty and at most {@link #CONTENT_LENGTH_MAX} characters long; of
   *     equal ones the first counts
   */
  AddedTokenMatcher(List<AddedToken> added) {
    edges = new PairTable(16);
    tokenOfNode.add(-1);
    for (AddedToken token : added) insert(token);
  }

  boolean isEmpty() {
    return tokens.isEmpty();
  }

  void cut(String text, int start, int end, Parts parts) {
    int textStart = start;
    int at = start;
    while (at < end && !tokens.isEmpty()) {
      at = firstChar(text, at, end);
      final int node = at < end ? longest(text, at, end) : -1;
      if (node < 0) {
        at++;
        continue;
      }
      final AddedToken token = tokens.get(tokenOfNode.get(node));
      final int matchStart = at;
      at += token.content().length();
      if (token.singleWord() && touchesWord(text, start, matchStart, at, end)) continue;
      final int tokenStart =
          token.stripsLeft() ? spacesStart(text, textStart, matchStart) : matchStart;
      if (tokenStart > textStart) parts.text(textStart, tokenStart);
      parts.token(token.id());
      if (token.stripsRight()) at = WordScanner.run(text, at, end, CodePoints.SPACE);
      textStart = at;
    }
    if (end > textStart) parts.text(textStart, end);
  }

  private void insert(AddedToken token) {
    int node = ROOT;
    for (int i = 0; i < token.content().length(); i++) {
      final char c = token.content().charAt(i);
      if (edges.putIfAbsent(node, c, tokenOfNode.size())) tokenOfNode.add(-1);
      node = edges.get(node, c);
    }
    if (tokenOfNode.get(node) >= 0) return;
    tokenOfNode.set(node, tokens.size());
    tokens.add(token);
    firstChars.set(token.content().charAt(0));
  }

  private int firstChar(String text, int at, int end) {
    while (at < end && !firstChars.get(text.charAt(at))) at++;
    return at;
  }

  /** The node of the longest token that begins at {@code at}, or -1. */
  private int longest(String text, int at, int end) {
    int found = -1;
    int node = ROOT;
    for (int i = at; i < end; i++) {
      node = edges.get(node, text.charAt(i));
      if (node < 0) break;
      if (tokenOfNode.get(node) >= 0) found = node;
    }
    return found;
  }

  private static boolean touchesWord(String text, int start, int from, int to, int end) {
    return from > start && CodePoints.isWord(text.codePointBefore(from))
        || to < end && CodePoints.isWord(text.codePointAt(to));
  }

  private static int spacesStart(String text, int start, int at) {
    while (at > start && CodePoints.isSpace(text.charAt(at - 1))) at--;
    return at;
  }
}
