package dev.stator.model.grammar;

import static dev.stator.model.grammar.GrammarFixture.BYTES;
import static dev.stator.model.grammar.GrammarFixture.SETTINGS;
import static dev.stator.model.grammar.GrammarFixture.automaton;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What is kept, what is forgotten, and what is too much. */
class AutomatonTest {
  private static final TokenTrie TRIE =
      TokenTrie.of(ListTokenizer.random(new Random(11), "{}[]\":, ab01", 300));
  private static final GrammarSettings NOTHING_KEPT = settings(8_388_608, 1);

  private static GrammarSettings settings(int walkMax, long cacheBytesMax) {
    return new GrammarSettings(65_536, 64, 65_536, 128, 1_024, walkMax, 4, cacheBytesMax);
  }

  @Test
  void shouldAllowTheSameWhateverIsForgotten() {
    final TransitionNetwork network =
        ConstraintCompiler.network(GrammarFixture.schema("true"), SETTINGS);
    final Automaton keeping = new Automaton(network, TRIE, SETTINGS);
    final Automaton forgetful = new Automaton(network, TRIE, NOTHING_KEPT);
    final Random random = new Random(12);
    for (int i = 0; i < 20; i++) {
      final ConstrainedText kept = new ConstrainedText(keeping);
      final ConstrainedText forgotten = new ConstrainedText(forgetful);
      final List<Integer> tokens = GrammarFixture.draw(keeping, random, 100);
      if (tokens == null) continue;
      for (int token : tokens) {
        assertArrayEquals(kept.allowed(), forgotten.allowed());
        if (random.nextInt(4) == 0) forgetful.forget();
        assertTrue(kept.add(token) && forgotten.add(token));
        assertEquals(kept.isComplete(), forgotten.isComplete());
      }
    }
  }

  @Test
  void shouldForgetTheLeastRecentlyUsedWhenItIsTooMuch() {
    final var compiler =
        new ConstraintCompiler(() -> TRIE, settings(8_388_608, 30_000), Runnable::run);
    final String first = GrammarFixture.schema("true").toText();
    final String second = Constraint.JSON_OBJECT.toText();
    assertNotNull(ConstraintCompiler.begin(compiler.compile(first)).allowed());
    final ConstrainedText answer = ConstraintCompiler.begin(compiler.compile(second));
    for (byte value : "{\"a\": [1, {\"b\": true}".getBytes(StandardCharsets.UTF_8)) {
      answer.allowed();
      assertTrue(answer.add(value & 0xFF));
      compiler.trim();
      final long held =
          compiler.compile(first).join().heldBytes() + compiler.compile(second).join().heldBytes();
      assertTrue(held <= 30_000, "held " + held);
    }
  }

  @Test
  void shouldNotWriteWhatCouldBeReadInTooManyWays() {
    final ConstrainedText answer = // Any of the letters may be the last 'a' but 1,200.
        new ConstrainedText(automaton(GrammarFixture.regex("[ab]*a[ab]{1200}"), BYTES));
    int letters = 0;
    while (answer.add('a')) letters++;
    assertTrue(letters > 1_000 && letters <= SETTINGS.readingsMax(), "after " + letters);
    assertTrue(answer.allows('b'));
  }

  @Test
  void shouldGiveUpWhenTheTokensThatMayFollowAreTooManyToRead() {
    final TransitionNetwork network =
        ConstraintCompiler.network(GrammarFixture.regex("([^x]|[^y]|[^z])*"), SETTINGS);
    assertNull(new ConstrainedText(new Automaton(network, TRIE, settings(100, 1 << 20))).allowed());
  }

  @Test
  void shouldLetControlTokensInOnlyWhereTheyAreNamed() {
    final ListTokenizer tokenizer = ListTokenizer.ofBytes();
    final int tag = tokenizer.tokenId("[ARGS]").orElseThrow();
    final Constraint tagged =
        new Constraint.Sequence(
            List.of(new Constraint.Regex(".*"), new Constraint.ControlToken("[ARGS]")));
    final ConstrainedText answer = new ConstrainedText(automaton(tagged, BYTES));
    assertTrue(answer.add('x'));
    assertFalse(answer.allows(tokenizer.tokenId("<|end|>").orElseThrow()));
    assertTrue(answer.add(tag));
    assertTrue(answer.isComplete());
    final ConstrainedText text =
        new ConstrainedText(automaton(new Constraint.Regex("[\\[A-Z\\]]*"), BYTES));
    assertFalse(text.allows(tag));
    assertTrue(text.add('['));
  }
}
