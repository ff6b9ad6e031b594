package dev.stator.model.grammar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.stator.model.file.GgufFile;
import dev.stator.model.text.Tokenizer;
import dev.stator.model.text.Tokenizers;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Masks over real vocabularies. */
class VocabularyTest {
  private static final Path ROOT = Path.of(System.getProperty("stator.root", "."));
  private static final String BUNDLED = "gpu-runtime/models/stator-tiny/stator-tiny-q8_0.gguf";
  private static final String LLAMA_BPE = "../shared/tokenizers/ggml-vocab-llama-bpe.gguf";
  private static final String LLAMA_SPM = "../shared/tokenizers/ggml-vocab-llama-spm.gguf";
  private static final String QWEN2 = "../shared/tokenizers/ggml-vocab-qwen2.gguf";
  private static final List<String> TEXTS =
      List.of(
          "{\"name\": \"Zoë\", \"tags\": [\"漢字\", \"😀 smile\", \"a\\\\b\"], \"n\": -12.5e3}",
          "[true,false,null,{},[]]",
          "{\n  \"a\" : {\n    \"b\" : [ 1, 2 ]\n  }\n}");

  @ParameterizedTest
  @ValueSource(strings = {BUNDLED, LLAMA_BPE, LLAMA_SPM, QWEN2})
  void shouldAllowEachTokenOfAValidText(String file) {
    final Tokenizer tokenizer = tokenizer(file);
    final Automaton json =
        GrammarFixture.automaton(GrammarFixture.schema("true"), TokenTrie.of(tokenizer));
    for (String text : TEXTS) {
      final ConstrainedText answer = new ConstrainedText(json);
      for (int token : tokenizer.encode(text, Tokenizer.SpecialText.PLAIN)) {
        assertEquals(1, answer.allowed()[token >> 6] >> token & 1, text);
        assertTrue(answer.add(token), text);
      }
      assertTrue(answer.isComplete(), text);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {BUNDLED, LLAMA_BPE, LLAMA_SPM, QWEN2})
  void shouldAllowExactlyTheTokensThatGoOn(String file) {
    final Tokenizer tokenizer = tokenizer(file);
    final Automaton json =
        GrammarFixture.automaton(GrammarFixture.schema("true"), TokenTrie.of(tokenizer));
    final ConstrainedText answer = new ConstrainedText(json);
    final int[] tokens = tokenizer.encode(TEXTS.getFirst(), Tokenizer.SpecialText.PLAIN);
    for (int i = 0; i < tokens.length; i += 9) {
      final long[] allowed = answer.allowed();
      for (int token = i % 5; token < tokenizer.vocabularySize(); token += 5) {
        final boolean isAllowed = (allowed[token >> 6] >> token & 1) == 1;
        assertEquals(answer.allows(token), isAllowed, "token " + token);
        if (tokenizer.isSpecial(token)) assertTrue(!isAllowed, "token " + token);
      }
      for (int j = i; j < Math.min(i + 9, tokens.length); j++) assertTrue(answer.add(tokens[j]));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {BUNDLED, LLAMA_BPE, LLAMA_SPM, QWEN2})
  void shouldOnlyWriteJsonThatJacksonReads(String file) throws Exception {
    final Tokenizer tokenizer = tokenizer(file);
    final Automaton automaton =
        GrammarFixture.automaton(
            GrammarFixture.schema(
                "{'type':'object','properties':{'s':{'type':'string','maxLength':9},"
                    + "'n':{'type':'number'},'l':{'type':'array','maxItems':2,"
                    + "'items':{'type':'boolean'}}},'required':['s','n','l']}"),
            TokenTrie.of(tokenizer));
    final Random random = new Random(9);
    for (int i = 0; i < 3; i++) {
      final List<Integer> tokens = GrammarFixture.draw(automaton, random, 2_000);
      if (tokens == null) continue;
      final String text =
          tokenizer.decode(tokens.stream().mapToInt(Integer::intValue).toArray(), true);
      assertEquals(3, new ObjectMapper().readTree(text).size(), text);
    }
  }

  private static Tokenizer tokenizer(String file) {
    final Path path = ROOT.resolve(file);
    Assumptions.assumeTrue(Files.exists(path), "needs " + file);
    return Tokenizers.fromGguf(GgufFile.open(path, Arena.ofAuto()).metadata());
  }
}
