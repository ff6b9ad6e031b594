package dev.stator.model.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stator.model.ModelFormatException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class HostileGgufTokenizerTest {
  private static final String PREFIX = "tokenizer.ggml.";
  private static final int MUTANTS = 3_000;
  private static final int BYTES = 256;

  private final Map<String, Object> gpt2 = new HashMap<>();
  private final Map<String, Object> llama = new HashMap<>();

  @BeforeEach
  void describeTwoSoundVocabularies() {
    final List<String> tokens = new ArrayList<>();
    for (int b = 0; b < BYTES; b++) tokens.add(String.valueOf(ByteAlphabet.charOf(b)));
    tokens.addAll(List.of("he", "ll", "hell", "<|end|>"));
    final int[] types = new int[tokens.size()];
    Arrays.fill(types, 1);
    types[types.length - 1] = 3;
    gpt2.put(PREFIX + "model", "gpt2");
    gpt2.put(PREFIX + "pre", "llama-bpe");
    gpt2.put(PREFIX + "tokens", tokens);
    gpt2.put(PREFIX + "token_type", types);
    gpt2.put(PREFIX + "merges", List.of("h e", "l l", "he ll"));
    gpt2.put(PREFIX + "bos_token_id", (long) tokens.size() - 1);

    final List<String> pieces = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
    for (int b = 0; b < BYTES; b++) pieces.add("<0x%02X>".formatted(b));
    pieces.addAll(List.of("\u2581", "h", "e", "\u2581h", "he"));
    final int[] pieceTypes = new int[pieces.size()];
    Arrays.fill(pieceTypes, 6);
    Arrays.fill(pieceTypes, 3 + BYTES, pieceTypes.length, 1);
    pieceTypes[0] = 2;
    pieceTypes[1] = 3;
    pieceTypes[2] = 3;
    llama.put(PREFIX + "model", "llama");
    llama.put(PREFIX + "tokens", pieces);
    llama.put(PREFIX + "token_type", pieceTypes);
    llama.put(PREFIX + "scores", new float[pieces.size()]);
  }

  @Test
  void shouldEncodeWithTheSoundVocabularies() {
    final Tokenizer bytePairs = Tokenizers.fromGguf(new MapMetadata(gpt2));
    assertArrayEquals(
        new int[] {BYTES + 2, bytePairs.tokenId("o").getAsInt(), BYTES + 3},
        bytePairs.encode("hello<|end|>", Tokenizer.SpecialText.PARSED));
    final Tokenizer pieces = Tokenizers.fromGguf(new MapMetadata(llama));
    assertEquals(OptionalInt.of(1), pieces.beginTokenId());
    assertEquals(
        "he \u20AC", pieces.decode(pieces.encode("he \u20AC", Tokenizer.SpecialText.PLAIN), true));
  }

  @Test
  void shouldTakeTheDefaultPreTokenizerWhenNoneIsNamed() {
    gpt2.remove(PREFIX + "pre");
    assertFalse(Tokenizers.fromGguf(new MapMetadata(gpt2)).addsBeginToken());
  }

  @Test
  void shouldNameWhatIsNotSupported() {
    assertRefused(
        gpt2,
        "model",
        "bert",
        "tokenizer.ggml.model is 'bert', expected 'gpt2' (byte-level BPE) or 'llama'"
            + " (SentencePiece)");
    assertRefused(
        gpt2,
        "pre",
        "new-kind",
        "tokenizer.ggml.pre is 'new-kind', a pre-tokenizer that is not supported");
  }

  @Test
  void shouldRefuseBrokenByteLevelVocabularies() {
    final List<String> tokens = tokens(gpt2);
    assertRefused(
        gpt2, "tokens", null, "tokenizer.ggml.tokens has 0 tokens, expected 1 to 4194304");
    assertRefused(
        gpt2,
        "tokens",
        with(tokens, 300 - 44, "a"),
        "tokenizer.ggml.tokens has 'a' twice, as 97 and as 256");
    assertRefused(
        gpt2,
        "tokens",
        with(tokens, 'a', "??"),
        "the vocabulary has no token for byte 0x61, which byte-level BPE spells 'a'");
    assertRefused(
        gpt2,
        "merges",
        List.of("h e", "he y"),
        "merge 1, which makes 'hey', names 'hey', which is not in the vocabulary");
    assertRefused(
        gpt2,
        "merges",
        List.of("h e", "xx y"),
        "merge 1, which makes 'xxy', names 'xx', which is not in the vocabulary");
    assertRefused(
        gpt2,
        "merges",
        List.of("he"),
        "tokenizer.ggml.merges has 'he', expected two tokens with a space between them");
    assertRefused(
        gpt2, "token_type", new int[7], "tokenizer.ggml.token_type has 7 values for 260 tokens");
    assertRefused(
        gpt2,
        "bos_token_id",
        260L,
        "tokenizer.ggml.bos_token_id is 260, expected a token of 0 to 259");
    assertRefused(
        gpt2,
        "eos_token_id",
        -1L,
        "tokenizer.ggml.eos_token_id is -1, expected a token of 0 to 259");
    assertRefused(
        gpt2,
        "tokens",
        with(tokens, 259, "x".repeat(2_000)),
        "token 259 is 2000 characters long, expected at most 1024 of a token that is not normal");
    gpt2.put(PREFIX + "add_bos_token", true);
    assertRefused(
        gpt2,
        "bos_token_id",
        null,
        "tokenizer.ggml.add_bos_token is true, but tokenizer.ggml.bos_token_id is missing");
  }

  @Test
  void shouldRefuseBrokenSentencePieceVocabularies() {
    final List<String> tokens = tokens(llama);
    assertRefused(
        llama, "scores", new float[3], "tokenizer.ggml.scores has 3 values for 264 tokens");
    final float[] scores = new float[264];
    scores[9] = Float.NaN;
    assertRefused(llama, "scores", scores, "tokenizer.ggml.scores has NaN for token 9");
    assertRefused(
        llama,
        "tokens",
        with(tokens, 13, "<0xZZ>"),
        "token 13 is '<0xZZ>', expected the form <0x0A> of a byte token");
    final int[] types = ((int[]) llama.get(PREFIX + "token_type")).clone();
    types[13] = 1;
    llama.put(PREFIX + "token_type", types);
    assertRefused(
        llama,
        "tokens",
        with(tokens, 13, "oh"),
        "the vocabulary has no token <0x0A>, which unknown characters are spelt with");
  }

  @Test
  void shouldGiveTheUnknownTokenWhenThereAreNoByteTokens() {
    llama.put(PREFIX + "tokens", List.of("<unk>", "<s>", "</s>", "\u2581", "h"));
    llama.put(PREFIX + "token_type", new int[] {2, 3, 3, 1, 1});
    llama.put(PREFIX + "scores", new float[5]);
    llama.put(PREFIX + "unknown_token_id", 0L);
    final Tokenizer tokenizer = Tokenizers.fromGguf(new MapMetadata(llama));
    assertArrayEquals(
        new int[] {3, 4, 0, 4}, tokenizer.encode("hxyzh", Tokenizer.SpecialText.PLAIN));
  }

  @Test
  void shouldBuildOrRefuseEveryMutant() {
    final Random random = new Random(23);
    for (int i = 0; i < MUTANTS; i++) {
      final Map<String, Object> mutant = new HashMap<>(random.nextBoolean() ? gpt2 : llama);
      for (int changes = 1 + random.nextInt(2); changes > 0; changes--) mutate(mutant, random);
      try {
        final Tokenizer tokenizer = Tokenizers.fromGguf(new MapMetadata(mutant));
        tokenizer.decode(tokenizer.encode("hello \u20AC <s>", Tokenizer.SpecialText.PARSED), true);
      } catch (ModelFormatException refusal) {
        assertFalse(refusal.getMessage().contains("\n"), refusal.getMessage());
      }
    }
  }

  private static void mutate(Map<String, Object> mutant, Random random) {
    final List<String> keys = mutant.keySet().stream().sorted().toList();
    final String key = keys.get(random.nextInt(keys.size()));
    final Object value = mutant.get(key);
    switch (value) {
      case String text -> mutant.put(key, random.nextBoolean() ? "gpt2" : text + "\n\u0000");
      case int[] types -> {
        final int[] changed = Arrays.copyOf(types, types.length - random.nextInt(2));
        for (int n = 0; n < 5; n++) changed[random.nextInt(changed.length)] = random.nextInt(8) - 1;
        mutant.put(key, changed);
      }
      case float[] scores -> {
        final float[] changed = Arrays.copyOf(scores, scores.length + random.nextInt(2));
        changed[random.nextInt(changed.length)] = Float.intBitsToFloat(random.nextInt());
        mutant.put(key, changed);
      }
      case List<?> strings -> {
        final List<Object> changed = new ArrayList<>(strings);
        final int at = random.nextInt(changed.size());
        if (random.nextBoolean()) changed.set(at, changed.get(random.nextInt(changed.size())));
        else
          changed.set(
              at, List.of("", " ", "  ", "\uD800", "a b c", "<0x0g>").get(random.nextInt(6)));
        mutant.put(key, changed);
      }
      default -> mutant.put(key, random.nextBoolean() ? random.nextLong() : Boolean.TRUE);
    }
  }

  private static void assertRefused(
      Map<String, Object> sound, String key, Object value, String message) {
    final Map<String, Object> broken = new HashMap<>(sound);
    broken.put(PREFIX + key, value);
    final ModelFormatException refusal =
        assertThrows(
            ModelFormatException.class, () -> Tokenizers.fromGguf(new MapMetadata(broken)));
    assertEquals(message, refusal.getMessage());
  }

  private static List<String> with(List<String> tokens, int index, String token) {
    final List<String> changed = new ArrayList<>(tokens);
    changed.set(index, token);
    return changed;
  }

  private static List<String> tokens(Map<String, Object> values) {
    return new MapMetadata(values).strings(PREFIX + "tokens");
  }
}
