package dev.stator.model.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StreamDecoderTest {
  private static final int SEQUENCES = 5_000;

  /** Lead and continuation bytes of every kind, so that most sequences are nearly well-formed. */
  private static final int[] TELLING_BYTES = {
    'a', ' ', 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xDF, 0xE0, 0xE2, 0xED, 0xEF, 0xF0,
    0xF1, 0xF4, 0xF5, 0xFF
  };

  private static final BitSet TELLING_BYTE_SET = new BitSet();

  static {
    for (int b : TELLING_BYTES) TELLING_BYTE_SET.set(b);
  }

  private static final Set<ByteBuffer> BEGINNINGS = beginnings();

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldJoinToTheFullDecodingWhateverTheTokens(boolean stripsSpace) {
    final Random random = new Random(11);
    for (int i = 0; i < SEQUENCES; i++) {
      final byte[][] tokens = new byte[random.nextInt(8)][];
      for (int t = 0; t < tokens.length; t++) tokens[t] = randomBytes(random);
      final BitSet special = BitSet.valueOf(new long[] {random.nextInt(256) & random.nextInt(256)});
      final Vocabulary vocabulary = new Vocabulary(new String[tokens.length], tokens, special);
      final boolean skipSpecial = random.nextBoolean();
      final String whole = wholeText(tokens, skipSpecial ? special : new BitSet(), stripsSpace);
      final StreamDecoder decoder = new StreamDecoder(vocabulary, skipSpecial, stripsSpace);
      final StringBuilder streamed = new StringBuilder();
      for (int id = 0; id < tokens.length; id++) {
        streamed.append(decoder.add(id));
        assertEquals(whole.substring(0, streamed.length()), streamed.toString(), "so far");
      }
      assertEquals(whole, streamed.append(decoder.finish()).toString());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama-bpe", "llama-spm", "qwen2"})
  void shouldJoinToTheFullDecodingWithARealVocabulary(String name) {
    final Tokenizer tokenizer = Tokenizers.fromGguf(Vocabularies.real(name));
    final Random random = new Random(13);
    for (int i = 0; i < 500; i++) {
      final int[] ids = random.ints(random.nextInt(30), 0, tokenizer.vocabularySize()).toArray();
      final IncrementalDecoder decoder = tokenizer.incrementalDecoder(i % 2 == 0);
      final StringBuilder streamed = new StringBuilder();
      for (int id : ids) streamed.append(decoder.add(id));
      streamed.append(decoder.finish());
      assertEquals(tokenizer.decode(ids, i % 2 == 0), streamed.toString(), Arrays.toString(ids));
    }
  }

  @Test
  void shouldHoldBackACharacterUntilItIsWhole() {
    final Tokenizer tokenizer = Tokenizers.fromGguf(Vocabularies.tiny());
    final int[] ids = tokenizer.encode("\uD83E\uDD99!", Tokenizer.SpecialText.PLAIN);
    final IncrementalDecoder decoder = tokenizer.incrementalDecoder(true);
    assertEquals(5, ids.length, "one token a byte");
    for (int i = 0; i < 3; i++) assertEquals("", decoder.add(ids[i]));
    assertEquals("\uD83E\uDD99", decoder.add(ids[3]));
    assertEquals("!", decoder.add(ids[4]));
    assertEquals("", decoder.finish());
  }

  @Test
  void shouldGiveTheReplacementCharacterWhenTheStreamEndsWithinACharacter() {
    final Tokenizer tokenizer = Tokenizers.fromGguf(Vocabularies.tiny());
    final IncrementalDecoder decoder = tokenizer.incrementalDecoder(true);
    assertEquals("", decoder.add(tokenizer.encode("\u20AC", Tokenizer.SpecialText.PLAIN)[0]));
    assertEquals("\uFFFD", decoder.finish());
  }

  @Test
  void shouldRefuseAnIdOutsideOfTheVocabulary() {
    final Tokenizer tokenizer = Tokenizers.fromGguf(Vocabularies.tiny());
    final int size = tokenizer.vocabularySize();
    assertThrows(IndexOutOfBoundsException.class, () -> tokenizer.tokenBytes(size));
    assertThrows(IndexOutOfBoundsException.class, () -> tokenizer.tokenBytes(-1));
    assertThrows(
        IndexOutOfBoundsException.class, () -> tokenizer.incrementalDecoder(true).add(size));
  }

  private static byte[] randomBytes(Random random) {
    final byte[] bytes = new byte[random.nextInt(5)];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) TELLING_BYTES[random.nextInt(TELLING_BYTES.length)];
    }
    return bytes;
  }

  private static String wholeText(byte[][] tokens, BitSet left, boolean stripsSpace) {
    byte[] whole = {};
    for (int id = 0; id < tokens.length; id++) {
      if (left.get(id)) continue;
      final int length = whole.length;
      whole = Arrays.copyOf(whole, length + tokens[id].length);
      System.arraycopy(tokens[id], 0, whole, length, tokens[id].length);
    }
    final int start = stripsSpace && whole.length > 0 && whole[0] == ' ' ? 1 : 0;
    return decode(Arrays.copyOfRange(whole, start, whole.length));
  }

  /** The longest beginnings of characters, one after the other. */
  private static String decode(byte[] bytes) {
    final StringBuilder text = new StringBuilder();
    for (int at = 0; at < bytes.length; ) {
      int length = 4;
      while (length > 1 && !isBeginning(bytes, at, length)) length--;
      final String whole = new String(bytes, at, length, StandardCharsets.UTF_8);
      final boolean isWhole =
          Arrays.equals(
              whole.getBytes(StandardCharsets.UTF_8), Arrays.copyOfRange(bytes, at, at + length));
      text.append(isWhole ? whole : "\uFFFD");
      at += length;
    }
    return text.toString();
  }

  private static boolean isBeginning(byte[] bytes, int at, int length) {
    return at + length <= bytes.length
        && BEGINNINGS.contains(ByteBuffer.wrap(bytes, at, length).slice());
  }

  /** The encodings of all characters and what they begin with, two bytes or more. */
  private static Set<ByteBuffer> beginnings() {
    final Set<ByteBuffer> beginnings = new HashSet<>();
    for (int c = 0x80; c <= Character.MAX_CODE_POINT; c += c < 0x10000 ? 1 : 64) {
      if (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE) continue;
      // Of the characters beyond the first plane every 64th shows all first three bytes.
      final byte[] bytes = Character.toString(c).getBytes(StandardCharsets.UTF_8);
      for (int length = 2; length <= Math.min(3, bytes.length); length++) {
        beginnings.add(ByteBuffer.wrap(Arrays.copyOf(bytes, length)));
      }
      for (int last = 0x80; last < 0xC0 && bytes.length == 4; last++) {
        final byte[] whole = bytes.clone();
        whole[3] = (byte) last;
        if (TELLING_BYTE_SET.get(last)) beginnings.add(ByteBuffer.wrap(whole));
      }
    }
    return beginnings;
  }
}
