package dev.stator.http.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.http.tools.Piece.ArgumentsDelta;
import dev.stator.http.tools.Piece.CallStarted;
import dev.stator.http.tools.Piece.Content;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ToolCallParserTest {
  private static final Set<String> TOOLS = Set.of("get_weather", "add", "now");
  private static final String ARROW = "=> ";
  private static final int CASES_MIN = 15;

  private static Supplier<String> ids() {
    final int[] next = {0};
    return () -> "id" + next[0]++;
  }

  private static ToolCallParser parser(ToolCallFormat format) {
    return format.parser(TOOLS, ids());
  }

  private static ParsedAnswer parse(ToolCallFormat format, String text) {
    return parser(format).parse(text);
  }

  /** The answer as {@code content|name(arguments)|name(arguments)}. */
  private static String shown(ParsedAnswer answer) {
    final StringBuilder shown = new StringBuilder(answer.content());
    answer
        .calls()
        .forEach(call ->
            shown.append('|').append(call.name()).append('(').append(call.arguments()).append(')'));
    return shown.toString();
  }

  /**
   * The cases of a table that come out otherwise. A case is a line with the answer and one with
   * what is expected, after an arrow; a line that begins with {@code #} is a comment.
   */
  private static List<String> differences(ToolCallFormat format, String table) throws IOException {
    final List<String> differences = new ArrayList<>();
    int cases = 0;
    String text = "";
    for (final String line : lines(table)) {
      if (line.startsWith(ARROW)) {
        cases++;
        final String actual = shown(parse(format, text));
        if (!actual.equals(line.substring(ARROW.length()))) {
          differences.add(text + "\n" + line + "\nbut was: " + actual);
        }
      } else if (!line.startsWith("#")) {
        text = line;
      }
    }
    assertTrue(cases >= CASES_MIN, table + " has " + cases + " cases");
    return differences;
  }

  private static List<String> lines(String table) throws IOException {
    try (InputStream in = ToolCallParserTest.class.getResourceAsStream(table)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
    }
  }

  private static List<Piece> stream(ToolCallParser parser, String... chunks) {
    final List<Piece> pieces = new ArrayList<>();
    for (final String chunk : chunks) {
      pieces.addAll(parser.add(chunk));
    }
    pieces.addAll(parser.finish());
    return pieces;
  }

  @ParameterizedTest
  @EnumSource(ToolCallFormat.class)
  void shouldPassTextOnAtOnceWhenThereIsNoCall(ToolCallFormat format) {
    final ToolCallParser parser = parser(format);
    assertEquals(List.of(new Content("Hello, wörld 🎉")), parser.add("Hello, wörld 🎉"));
    assertEquals(List.of(new Content(" a < b [1] {2}")), parser.add(" a < b [1] {2}"));
    assertEquals(List.of(), parser.add(""));
    assertEquals(List.of(), parser.finish());
  }

  @ParameterizedTest
  @CsvSource({
    "HERMES,<tool_call>,<tool",
    "LLAMA_JSON,<|python_tag|>,<|py",
    "MISTRAL,[TOOL_CALLS],[TOOL_"
  })
  void shouldHoldBackNoMoreThanAMarkersBeginning(
      ToolCallFormat format, String marker, String start) {
    final ToolCallParser parser = parser(format);
    assertEquals(List.of(new Content("see ")), parser.add("see " + start));
    assertEquals(List.of(new Content(start + "! ")), parser.add("! " + marker.charAt(0)));
    assertEquals(List.of(new Content(marker.substring(0, 1))), parser.finish());
  }

  @Test
  void shouldStreamArgumentsAsTheyCome() {
    final List<Piece> pieces =
        stream(
            parser(ToolCallFormat.HERMES),
            "Ok.\n<tool_",
            "call>\n{\"name\": \"add\", \"argu",
            "ments\": {\"a\"",
            ": 1",
            "}}\n</tool_",
            "call>");
    assertEquals(
        List.of(
            new Content("Ok.\n"),
            new CallStarted(0, "id0", "add"),
            new ArgumentsDelta(0, "{\"a\""),
            new ArgumentsDelta(0, ": 1"),
            new ArgumentsDelta(0, "}")),
        pieces);
  }

  @Test
  void shouldReadHermes() throws IOException {
    assertEquals(List.of(), differences(ToolCallFormat.HERMES, "hermes.txt"));
  }

  @Test
  void shouldReadLlamaJson() throws IOException {
    assertEquals(List.of(), differences(ToolCallFormat.LLAMA_JSON, "llama-json.txt"));
  }

  @Test
  void shouldReadMistral() throws IOException {
    assertEquals(List.of(), differences(ToolCallFormat.MISTRAL, "mistral.txt"));
  }

  @Test
  void shouldTakeALongHeaderForTextWhenNoNameComes() {
    final String text =
        "<tool_call>{\"x\": \"" + "y".repeat(20_000) + "\", \"name\": \"now\", \"arguments\": {}}";
    assertEquals(new ParsedAnswer(text, List.of()), parse(ToolCallFormat.HERMES, text));
  }

  @Test
  void shouldEndACallWhenItsArgumentsNestTooDeep() {
    final String deep = "[".repeat(2_000);
    final ParsedAnswer answer =
        parse(
            ToolCallFormat.HERMES, "<tool_call>{\"name\": \"now\", \"arguments\": {\"a\": " + deep);
    assertEquals(1, answer.calls().size());
    assertTrue(answer.content().startsWith("[") && answer.content().length() < 2_000);
  }

  @Test
  void shouldGiveEachCallItsOwnIndexAndId() {
    final List<Piece> pieces =
        stream(parser(ToolCallFormat.MISTRAL), "[TOOL_CALLS]now[ARGS]{}[TOOL_CALLS]add[ARGS]{}");
    assertEquals(
        List.of(
            new CallStarted(0, "id0", "now"),
            new ArgumentsDelta(0, "{}"),
            new CallStarted(1, "id1", "add"),
            new ArgumentsDelta(1, "{}")),
        pieces);
  }
}
