package dev.stator.model.text;

/**
 * The symbols of BPE over characters, as SentencePiece's: each code point is a token or unknown.
 */
final class CharacterSymbols implements MergeEncoder.Symbols {
  private final TokenIndex index;
  private final UnknownCharacters unknown;

  CharacterSymbols(TokenIndex index, UnknownCharacters unknown) {
    this.index = index;
    this.unknown = unknown;
  }

  @Override
  public void of(String text, int start, int end, IntArray ids) {
    boolean lastIsUnknown = false;
    for (int at = start; at < end; ) {
      final int codePoint = text.codePointAt(at);
      final int next = at + Character.charCount(codePoint);
      final int id = index.find(text, at, next);
      if (id == TokenIndex.ABSENT) unknown.add(codePoint, lastIsUnknown, ids);
      else ids.add(id);
      lastIsUnknown = id == TokenIndex.ABSENT;
      at = next;
    }
  }
}
