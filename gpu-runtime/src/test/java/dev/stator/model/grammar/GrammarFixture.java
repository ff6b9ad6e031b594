package dev.stator.model.grammar;

import com.typesafe.config.ConfigFactory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/** Constraints read byte by byte, and answers drawn from their masks. */
final class GrammarFixture {
  static final GrammarSettings SETTINGS = GrammarSettings.from(ConfigFactory.load());
  static final TokenTrie BYTES = TokenTrie.of(ListTokenizer.ofBytes());

  private GrammarFixture() {}

  static Automaton automaton(Constraint constraint, TokenTrie trie) {
    return new Automaton(ConstraintCompiler.network(constraint, SETTINGS), trie, SETTINGS);
  }

  static boolean accepts(Constraint constraint, String text) {
    return accepts(automaton(constraint, BYTES), text);
  }

  static boolean accepts(Automaton byteAutomaton, String text) {
    final ConstrainedText answer = new ConstrainedText(byteAutomaton);
    for (byte value : text.getBytes(StandardCharsets.UTF_8)) {
      if (!answer.add(value & 0xFF)) return false;
    }
    return answer.isComplete();
  }

  static Constraint regex(String pattern) {
    return new Constraint.Regex(pattern);
  }

  static Constraint schema(String json) {
    return new Constraint.JsonSchema(json.replace('\'', '"'));
  }

  static Constraint gbnf(String grammar) {
    return new Constraint.Gbnf(grammar);
  }

  /**
   * Tokens drawn from the masks until the text may end and a coin or a length says so; {@code null}
   * when it has not ended after {@code tokensMax}.
   */
  static List<Integer> draw(Automaton automaton, RandomGenerator random, int tokensMax) {
    final ConstrainedText answer = new ConstrainedText(automaton);
    final List<Integer> tokens = new ArrayList<>();
    while (tokens.size() < tokensMax) {
      if (answer.isComplete() && (!answer.goesOn() || random.nextInt(3) == 0)) return tokens;
      final int token = pick(answer.allowed(), random);
      if (token < 0 || !answer.add(token)) {
        throw new AssertionError("nothing goes on behind " + tokens);
      }
      tokens.add(token);
    }
    return null;
  }

  private static int pick(long[] mask, RandomGenerator random) {
    int count = 0;
    for (long word : mask) count += Long.bitCount(word);
    if (count == 0) return -1;
    int left = random.nextInt(count);
    for (int i = 0; ; i++) {
      final int here = Long.bitCount(mask[i]);
      if (left >= here) {
        left -= here;
        continue;
      }
      long word = mask[i];
      for (; left > 0; left--) word &= word - 1;
      return i * 64 + Long.numberOfTrailingZeros(word);
    }
  }
}
