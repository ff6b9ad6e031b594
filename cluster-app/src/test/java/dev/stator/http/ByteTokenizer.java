package dev.stator.http;

import dev.stator.model.text.IncrementalDecoder;
import dev.stator.model.text.TextTooComplexException;
import dev.stator.model.text.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;

/** One token a byte, and some special tokens. */
final class ByteTokenizer implements Tokenizer {
  /** Text that this tokenizer gives up on. */
  static final String TOO_COMPLEX = "~~tangle~~";

  static final int BEGIN = 256;
  private static final List<String> SPECIALS = List.of("<|begin|>", "<|im_start|>", "<|im_end|>");

  private final boolean addsBegin;
  private final List<String> specials = new ArrayList<>(SPECIALS);

  /**
   * @param more special tokens besides those that are always there
   */
  ByteTokenizer(boolean addsBegin, String... more) {
    this.addsBegin = addsBegin;
    specials.addAll(List.of(more));
  }

  @Override
  public int vocabularySize() {
    return BEGIN + specials.size();
  }

  @Override
  public int[] encode(String text, SpecialText specialText) {
    if (text.contains(TOO_COMPLEX)) throw new TextTooComplexException("Too complex.");
    int[] ids = new int[text.getBytes(StandardCharsets.UTF_8).length];
    int count = 0;
    int position = 0;
    while (position < text.length()) {
      int special = specialText == SpecialText.PARSED ? specialAt(text, position) : -1;
      if (special >= 0) {
        ids[count++] = BEGIN + special;
        position += specials.get(special).length();
        continue;
      }
      int codePoint = text.codePointAt(position);
      for (byte value : Character.toString(codePoint).getBytes(StandardCharsets.UTF_8)) {
        ids[count++] = value & 0xFF;
      }
      position += Character.charCount(codePoint);
    }
    return Arrays.copyOf(ids, count);
  }

  private int specialAt(String text, int position) {
    for (int index = 0; index < specials.size(); index++) {
      if (text.startsWith(specials.get(index), position)) return index;
    }
    return -1;
  }

  @Override
  public byte[] tokenBytes(int tokenId) {
    return tokenId < BEGIN
        ? new byte[] {(byte) tokenId}
        : specials.get(tokenId - BEGIN).getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public boolean isSpecial(int tokenId) {
    return tokenId >= BEGIN;
  }

  @Override
  public OptionalInt tokenId(String text) {
    int special = specials.indexOf(text);
    return special < 0 ? OptionalInt.empty() : OptionalInt.of(BEGIN + special);
  }

  @Override
  public OptionalInt beginTokenId() {
    return OptionalInt.of(BEGIN);
  }

  @Override
  public boolean addsBeginToken() {
    return addsBegin;
  }

  @Override
  public String decode(int[] tokenIds, boolean skipSpecial) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int id : tokenIds) {
      if (!skipSpecial || !isSpecial(id)) bytes.writeBytes(tokenBytes(id));
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  @Override
  public IncrementalDecoder incrementalDecoder(boolean skipSpecial) {
    throw new UnsupportedOperationException("the front end decodes nothing");
  }
}
