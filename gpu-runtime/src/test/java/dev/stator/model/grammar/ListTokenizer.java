package dev.stator.model.grammar;

import dev.stator.model.text.IncrementalDecoder;
import dev.stator.model.text.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.random.RandomGenerator;

/**
 * A vocabulary given token by token; the first 256 are the bytes. Encodes by taking any longest
 * token.
 */
final class ListTokenizer implements Tokenizer {
  private final List<byte[]> tokens;
  private final List<String> control;

  ListTokenizer(List<byte[]> tokens, List<String> control) {
    this.tokens = List.copyOf(tokens);
    this.control = List.copyOf(control);
  }

  static ListTokenizer ofBytes() {
    return new ListTokenizer(bytes(), List.of("<|end|>", "[ARGS]"));
  }

  private static List<byte[]> bytes() {
    final List<byte[]> bytes = new ArrayList<>();
    for (int value = 0; value < 256; value++) bytes.add(new byte[] {(byte) value});
    return bytes;
  }

  /** Tokens of up to six characters of {@code alphabet}, or parts of its characters. */
  static ListTokenizer random(RandomGenerator random, String alphabet, int count) {
    final List<byte[]> tokens = bytes();
    while (tokens.size() < 256 + count) {
      final StringBuilder text = new StringBuilder();
      final int[] points = alphabet.codePoints().toArray();
      for (int i = random.nextInt(1, 7); i > 0; i--) {
        text.appendCodePoint(points[random.nextInt(points.length)]);
      }
      final byte[] whole = text.toString().getBytes(StandardCharsets.UTF_8);
      final int from = random.nextInt(4) == 0 ? random.nextInt(whole.length) : 0;
      tokens.add(Arrays.copyOfRange(whole, from, whole.length));
    }
    return new ListTokenizer(tokens, List.of("<|end|>", "[ARGS]"));
  }

  @Override
  public int vocabularySize() {
    return tokens.size() + control.size();
  }

  @Override
  public int[] encode(String text, SpecialText specialText) {
    final byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    final List<Integer> ids = new ArrayList<>();
    for (int at = 0; at < bytes.length; ) {
      int best = bytes[at] & 0xFF;
      for (int id = 0; id < tokens.size(); id++) {
        final byte[] token = tokens.get(id);
        if (token.length > tokens.get(best).length
            && at + token.length <= bytes.length
            && Arrays.equals(token, 0, token.length, bytes, at, at + token.length)) {
          best = id;
        }
      }
      ids.add(best);
      at += tokens.get(best).length;
    }
    return ids.stream().mapToInt(Integer::intValue).toArray();
  }

  @Override
  public byte[] tokenBytes(int tokenId) {
    return tokenId < tokens.size()
        ? tokens.get(tokenId).clone()
        : control.get(tokenId - tokens.size()).getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public boolean isSpecial(int tokenId) {
    return tokenId >= tokens.size();
  }

  @Override
  public OptionalInt tokenId(String text) {
    final int index = control.indexOf(text);
    return index < 0 ? OptionalInt.empty() : OptionalInt.of(tokens.size() + index);
  }

  @Override
  public OptionalInt beginTokenId() {
    return OptionalInt.empty();
  }

  @Override
  public boolean addsBeginToken() {
    return false;
  }

  @Override
  public String decode(int[] tokenIds, boolean skipSpecial) {
    final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int id : tokenIds) {
      if (!skipSpecial || !isSpecial(id)) bytes.writeBytes(tokenBytes(id));
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  @Override
  public IncrementalDecoder incrementalDecoder(boolean skipSpecial) {
    throw new UnsupportedOperationException("these tests decode whole texts");
  }
}
