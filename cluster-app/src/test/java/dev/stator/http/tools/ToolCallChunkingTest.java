package dev.stator.http.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Random answers made of the pieces of all formats, cut in random places. */
class ToolCallChunkingTest {
  private static final long SEED = 20_261_121;
  private static final int ANSWERS = 4_000;
  private static final Set<String> TOOLS = Set.of("now", "add");
  private static final List<String> FRAGMENTS =
      List.of(
          "<tool_call>",
          "</tool_call>",
          "<|python_tag|>",
          "[TOOL_CALLS]",
          "[ARGS]",
          "[CALL_ID]",
          "now",
          "add",
          "rm",
          "{\"name\": \"now\", \"arguments\": {}}",
          "{\"name\": \"add\", \"parameters\": {\"a\": [1, {\"b\": \"}\"}]}}",
          "{\"name\": \"rm\", \"arguments\": {}}",
          "{\"name\": \"",
          "\"arguments\": ",
          "\"",
          "\\",
          "\\\"",
          "{",
          "}",
          "[",
          "]",
          ",",
          ":",
          ";",
          " ",
          "\n",
          "text",
          "é🎉",
          "<",
          "<tool",
          "null",
          "12");

  private static Supplier<String> ids() {
    final int[] next = {0};
    return () -> "id" + next[0]++;
  }

  private static String answer(Random random) {
    final StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(14); i >= 0; i--) {
      text.append(FRAGMENTS.get(random.nextInt(FRAGMENTS.size())));
    }
    return text.toString();
  }

  private static List<Piece> inChunks(Random random, ToolCallParser parser, String text) {
    final List<Piece> pieces = new ArrayList<>();
    for (int from = 0; from < text.length(); ) {
      final int to = Math.min(text.length(), from + random.nextInt(5));
      pieces.addAll(parser.add(text.substring(from, to)));
      from = to;
    }
    pieces.addAll(parser.finish());
    return pieces;
  }

  @ParameterizedTest
  @EnumSource(ToolCallFormat.class)
  void shouldGiveTheSameAnswerHoweverTheTextIsCut(ToolCallFormat format) {
    final Random random = new Random(SEED);
    int called = 0;
    for (int i = 0; i < ANSWERS; i++) {
      final String text = answer(random);
      final ParsedAnswer whole = format.parser(TOOLS, ids()).parse(text);
      final List<Piece> pieces = inChunks(random, format.parser(TOOLS, ids()), text);
      assertEquals(whole, ParsedAnswer.of(pieces), text);
      checkNothingIsLost(text, pieces);
      called += whole.calls().isEmpty() ? 0 : 1;
    }
    assertTrue(called > ANSWERS / 100, "answers with calls: " + called);
  }

  /** Text and arguments are parts of the answer, in order; without a call, all of it. */
  private static void checkNothingIsLost(String text, List<Piece> pieces) {
    int position = 0;
    boolean called = false;
    for (final Piece piece : pieces) {
      final String part =
          switch (piece) {
            case Piece.Content content -> content.text();
            case Piece.ArgumentsDelta arguments -> arguments.json();
            case Piece.CallStarted call -> {
              assertTrue(TOOLS.contains(call.name()));
              called = true;
              yield "";
            }
          };
      final int at =
          piece instanceof Piece.ArgumentsDelta ? position : text.indexOf(part, position);
      assertTrue(at >= position, () -> piece + " is not in order in " + text);
      position = at;
      if (piece instanceof Piece.Content) {
        position += part.length();
      }
    }
    if (!called) {
      assertEquals(text, ParsedAnswer.of(pieces).content());
    }
  }
}
