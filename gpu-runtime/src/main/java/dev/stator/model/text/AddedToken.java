package dev.stator.model.text;

/**
 * A token that is found in the text before anything else happens to it.
 *
 * @param content what is searched
 * @param singleWord whether it counts only where no word character touches it
 * @param stripsLeft whether spaces in front of it vanish
 * @param stripsRight whether spaces behind it vanish
 * @param normalized whether it is searched in the normalized text
 * @param special whether it is a control token, which plain text does not contain
 */
record AddedToken(
    int id,
    String content,
    boolean singleWord,
    boolean stripsLeft,
    boolean stripsRight,
    boolean normalized,
    boolean special) {
  /** Searched anywhere in the raw text, as is. */
  static AddedToken plain(int id, String content, boolean special) {
    return new AddedToken(id, content, false, false, false, false, special);
  }

  AddedToken withContent(String newContent) {
    return new AddedToken(id, newContent, singleWord, stripsLeft, stripsRight, normalized, special);
  }
}
