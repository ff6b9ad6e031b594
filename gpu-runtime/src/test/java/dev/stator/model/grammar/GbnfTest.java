package dev.stator.model.grammar;

import static dev.stator.model.grammar.GrammarFixture.BYTES;
import static dev.stator.model.grammar.GrammarFixture.accepts;
import static dev.stator.model.grammar.GrammarFixture.automaton;
import static dev.stator.model.grammar.GrammarFixture.gbnf;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Grammars in llama.cpp's notation. */
class GbnfTest {
  /** As in llama.cpp's documentation. */
  private static final String ARITHMETIC =
      """
      # sums
      root  ::= (expr "=" ws term "\\n")+
      expr  ::= term ([-+*/] term)*
      term  ::= ident | num | "(" ws expr ")" ws
      ident ::= [a-z] [a-z0-9_]* ws
      num   ::= [0-9]+ ws
      ws    ::= [ \\t\\n]*
      """;

  private static final String PARENTHESES =
      """
      root ::= "" |
        "(" root ")" root   # balanced
      """;

  @Test
  void shouldReadTheExampleOfTheNotationsAuthors() {
    final Constraint arithmetic = gbnf(ARITHMETIC);
    assertTrue(accepts(arithmetic, "(a +1) *b2=17\n"));
    assertTrue(accepts(arithmetic, "1=1\n2 = 2\n"));
    assertFalse(accepts(arithmetic, "1=1"));
    assertFalse(accepts(arithmetic, "(1=1\n"));
  }

  @Test
  void shouldCountParenthesesAsAStackDoes() {
    final Automaton balanced = automaton(gbnf(PARENTHESES), BYTES);
    final Random random = new Random(4);
    int right = 0;
    for (int i = 0; i < 2_000; i++) {
      final StringBuilder text = new StringBuilder();
      for (int j = random.nextInt(9); j > 0; j--) text.append(random.nextBoolean() ? '(' : ')');
      final boolean expected = isBalanced(text);
      if (expected) right++;
      assertEquals(expected, accepts(balanced, text.toString()), text::toString);
    }
    assertTrue(right > 100);
  }

  private static boolean isBalanced(CharSequence text) {
    int open = 0;
    for (int i = 0; i < text.length() && open >= 0; i++) open += text.charAt(i) == '(' ? 1 : -1;
    return open == 0;
  }

  @ParameterizedTest
  @CsvSource({
    "'root ::= \"a\"{2,3} [^x\\]]? .', aay, true",
    "'root ::= \"a\"{2,3} [^x\\]]? .', aaxy, false",
    "'root ::= \"\\x41\\u00e9\\U0001F600\\\"\"', 'Aé😀\"', true",
    "'root ::= [a-c-]{2}', a-, true",
    "'root ::= a-b\na-b ::= \"x\"\n  | \"y\"', y, true",
    "'root ::= (\n\"a\"\n\"b\"\n)+', abab, true",
    "'root ::= \"a\" * \"b\" { 1 , }', bb, true",
    "'root ::= \"a\" \"b\"\r\n', ab, true",
    "'x ::= \"a\"\nroot ::= x x', aa, true"
  })
  void shouldReadTheNotation(String grammar, String text, boolean expected) {
    assertEquals(expected, accepts(gbnf(grammar), text));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '@',
      value = {
        "x ::= \"a\" @ no rule named 'root'",
        "root ::= x @ does not define",
        "'root ::= \"a\"\nroot ::= \"b\"' @ line 2",
        "root = \"a\" @ '::='",
        "root ::= \"a @ closing",
        "root ::= [a @ closing",
        "root ::= (\"a\" @ ')' is expected",
        "root ::= \"\\q\" @ no escape",
        "root ::= \"\\ud800\" @ no character",
        "root ::= \"\\UFFFFFFFF\" @ no character",
        "root ::= \"a\"{2,1} @ m > n",
        "root ::= root \"a\" | \"b\" @ 'root' is left-recursive",
        "'root ::= e root \"a\" | \"b\"\ne ::= \"\"' @ left-recursive",
        "'root ::= x\nx ::= y \"a\" | \"b\"\ny ::= x' @ left-recursive",
        "root ::= \"a\" root @ no text is allowed",
        "root ::= <think> @ not expected",
        "'' @ no rule",
        "root ::= ((\"a\"{1000}){1000}){1000} @ states-max"
      })
  void shouldRefuseWithAReason(String grammar, String reason) {
    final ConstraintException fault =
        assertThrows(
            ConstraintException.class,
            () -> ConstraintCompiler.check(gbnf(grammar), GrammarFixture.SETTINGS));
    assertTrue(fault.getMessage().contains(reason.strip()), fault.getMessage());
  }

  @Test
  void shouldNotGoDeeperThanTheStackMayGrow() {
    final int deepest = GrammarFixture.SETTINGS.stackMax();
    final Automaton nested = automaton(gbnf("root ::= \"[\" root \"]\" | \"x\""), BYTES);
    assertTrue(accepts(nested, "[".repeat(deepest) + "x" + "]".repeat(deepest)));
    assertFalse(accepts(nested, "[".repeat(deepest + 1) + "x" + "]".repeat(deepest + 1)));
    final ConstrainedText answer = new ConstrainedText(nested);
    for (int i = 0; i < deepest; i++) assertTrue(answer.add('['));
    assertTrue(answer.allows('x'), "a way out is left");
  }

  @Test
  void shouldReadATailWithoutAStack() {
    final Automaton list = automaton(gbnf("root ::= \"a\" root | \"b\""), BYTES);
    assertTrue(accepts(list, "a".repeat(10_000) + "b"));
  }
}
