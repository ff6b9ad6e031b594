package dev.stator.http;

import dev.stator.model.text.IncrementalDecoder;
import dev.stator.model.text.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;

/** One token a byte, and three special tokens. */
final class ByteTokenizer implements Tokenizer {
  static final int BEGIN = 256;
  static final List<String> SPECIALS = List.of("<|begin|>", "<|im_start|>", "<|im_end|>");

  private final boolean addsBegin;

  ByteTokenizer(boolean addsBegin) {
    this.addsBegin = addsBegin;
  }

  @Override
  public int vocabularySize() {
    return BEGIN + SPECIALS.size();
  }

  @Override
  public int[] encode(String text, SpecialText specialText) {
    int[] ids = new int[text.getBytes(StandardCharsets.UTF_8).length];
    int count = 0;
    int position = 0;
    while (position < text.length()) {
      int special = specialText == SpecialText.PARSED ? specialAt(text, position) : -1;
      if (special >= 0) {
        ids[count++] = BEGIN + special;
        position += SPECIALS.get(special).length();
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

  private static int specialAt(String text, int position) {
    for (int index = 0; index < SPECIALS.size(); index++) {
      if (text.startsWith(SPECIALS.get(index), position)) return index;
    }
    return -1;
  }

  @Override
  public byte[] tokenBytes(int tokenId) {
    return tokenId < BEGIN
        ? new byte[] {(byte) tokenId}
        : SPECIALS.get(tokenId - BEGIN).getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public boolean isSpecial(int tokenId) {
    return tokenId >= BEGIN;
  }

  @Override
  public OptionalInt tokenId(String text) {
    int special = SPECIALS.indexOf(text);
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
