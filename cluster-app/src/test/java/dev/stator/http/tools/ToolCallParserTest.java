package dev.stator.http.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.http.tools.Piece.ArgumentsDelta;
import dev.stator.http.tools.Piece.CallStarted;
import dev.stator.http.tools.Piece.Content;
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

  @ParameterizedTest
  @CsvSource(
      delimiter = '#',
      quoteCharacter = '`',
      value = {
        // One call, and white space in all places.
        "<tool_call>{\"name\":\"now\",\"arguments\":{}}</tool_call>#|now({})",
        "<tool_call> { \"name\" : \"now\" , \"arguments\" : { \"a\" : [ ] } } </tool_call> #|now({"
            + " \"a\" : [ ] })",
        "<tool_call>{\"arguments\":{\"a\":1},\"name\":\"add\"}</tool_call>#|add({\"a\":1})",
        "<tool_call>{\"name\":\"add\",\"parameters\":{\"a\":1}}</tool_call>#|add({\"a\":1})",
        "<tool_call>{\"name\":\"now\"}</tool_call>#|now({})",
        "<tool_call>{\"id\":7,\"x\":[{\"name\":1}],\"name\":\"now\",\"arguments\":{},\"y\":null}</tool_call>#|now({})",
        "<tool_call>{\"n\\u0061me\":\"n\\u006fw\",\"arguments\":{}}</tool_call>#|now({})",
        // Braces, brackets, quotes and tags inside strings.
        "<tool_call>{\"name\":\"add\",\"arguments\":{\"a\":\"}]{[\\\"</tool_call>\\\\\"}}</tool_call>#|add({\"a\":\"}]{[\\\"</tool_call>\\\\\"})",
        // Text around, several calls, no end tag.
        "a<tool_call>{\"name\":\"now\",\"arguments\":{}}</tool_call>b#ab|now({})",
        "<tool_call>{\"name\":\"now\",\"arguments\":{}}</tool_call>"
            + " <tool_call>{\"name\":\"add\",\"arguments\":{}}</tool_call>#|now({})|add({})",
        "<tool_call>{\"name\":\"now\",\"arguments\":{}}"
            + " <tool_call>{\"name\":\"add\",\"arguments\":{}}#|now({})|add({})",
        "<tool_call>{\"name\":\"now\",\"arguments\":{}}</tool_#|now({})",
        "<tool_call>{\"name\":\"now\",\"arguments\":{}}</tool_x#</tool_x|now({})",
        // Arguments as a string of JSON.
        "<tool_call>{\"name\":\"add\",\"arguments\":\"{\\\"a\\\": 1}\"}</tool_call>#|add({\"a\":"
            + " 1})",
        // No calls.
        "<tool_call>{\"name\":\"rm\",\"arguments\":{}}</tool_call>#<tool_call>{\"name\":\"rm\",\"arguments\":{}}</tool_call>",
        "<tool_call>{\"arguments\":{},\"name\":\"rm\"}</tool_call>#<tool_call>{\"arguments\":{},\"name\":\"rm\"}</tool_call>",
        "<tool_call>{\"name\":7,\"arguments\":{}}</tool_call>#<tool_call>{\"name\":7,\"arguments\":{}}</tool_call>",
        "<tool_call>{\"name\":\"now\",\"arguments\":5}#<tool_call>{\"name\":\"now\",\"arguments\":5}",
        "<tool_call>{\"name\":\"now\",\"arguments\":\"5\"}#<tool_call>{\"name\":\"now\",\"arguments\":\"5\"}",
        "<tool_call>now()</tool_call>#<tool_call>now()</tool_call>",
        "<tool_call>{\"name\":\"now#<tool_call>{\"name\":\"now",
        "<tool_call>{\"arguments\":{}}</tool_call>#<tool_call>{\"arguments\":{}}</tool_call>",
        "<tool_call>{}</tool_call>#<tool_call>{}</tool_call>",
        "<tool_call>{name:1}</tool_call>#<tool_call>{name:1}</tool_call>",
        "<tool_call>{\"a\"}{\"b\":}#<tool_call>{\"a\"}{\"b\":}",
        "<tool_call><tool_call>{\"name\":\"now\",\"arguments\":{}}#<tool_call>|now({})",
        // Broken or cut off once begun.
        "<tool_call>{\"name\":\"add\",\"arguments\":{\"a\": [1#|add({\"a\": [1)",
        "<tool_call>{\"name\":\"add\",\"arguments\":{\"a\": [1}} rest#}} rest|add({\"a\": [1)",
        "<tool_call>{\"name\":\"add\",\"arguments\":{}, \"b\": ]x#, \"b\": ]x|add({})",
        "<tool_call>{\"name\":\"add\",\"arguments\":{}, \"b#|add({})",
        "<tool_call>{\"name\":\"add\",\"arguments\":{}}, then#, then|add({})",
      })
  void shouldReadHermes(String text, String expected) {
    assertEquals(expected, shown(parse(ToolCallFormat.HERMES, text)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '#',
      quoteCharacter = '`',
      value = {
        "{\"name\": \"add\", \"parameters\": {\"a\": 1}}#|add({\"a\": 1})",
        "` {\"type\": \"function\", \"name\": \"now\", \"parameters\": {}} `#|now({})",
        "<|python_tag|>{\"name\": \"add\", \"parameters\": {\"a\": \"{\"}}#|add({\"a\": \"{\"})",
        "Let me see. <|python_tag|>{\"name\": \"now\", \"parameters\": {}}#`Let me see. |now({})`",
        "{\"name\": \"now\", \"parameters\": {}}; {\"name\": \"add\", \"parameters\":"
            + " {}}#|now({})|add({})",
        "{\"name\": \"now\", \"parameters\": {}}<|python_tag|>{\"name\": \"add\", \"parameters\":"
            + " {}}#|now({})|add({})",
        "{\"name\": \"now\", \"parameters\": {}} and more#` and more|now({})`",
        "{\"name\": \"now\", \"parameters\": {}}; {\"name\": \"rm\"}#; {\"name\": \"rm\"}|now({})",
        // Not a call: another object, one without arguments, one in the middle of text, Python.
        "{\"answer\": 42}#{\"answer\": 42}",
        "{\"name\": \"now\"}#{\"name\": \"now\"}",
        "{\"name\": \"rm\", \"parameters\": {}}#{\"name\": \"rm\", \"parameters\": {}}",
        "Call {\"name\": \"now\", \"parameters\": {}}#Call {\"name\": \"now\", \"parameters\": {}}",
        "<|python_tag|>now.call(x=\"1\")#<|python_tag|>now.call(x=\"1\")",
        "` {\"name\": \"no`#` {\"name\": \"no`",
        "`  `#`  `",
        "<|python_t#<|python_t",
      })
  void shouldReadLlamaJson(String text, String expected) {
    assertEquals(expected, shown(parse(ToolCallFormat.LLAMA_JSON, text)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '#',
      quoteCharacter = '`',
      value = {
        "[TOOL_CALLS][{\"name\": \"add\", \"arguments\": {\"a\": [1]}}]#|add({\"a\": [1]})",
        "[TOOL_CALLS] [{\"name\":\"now\",\"arguments\":{},\"id\":\"abcdef123\"} ,"
            + " {\"arguments\":{},\"name\":\"add\"}] #|now({})|add({})",
        "[TOOL_CALLS]{\"name\": \"now\", \"arguments\": {}}#|now({})",
        "[TOOL_CALLS]now[ARGS]{}#|now({})",
        "[TOOL_CALLS]add[CALL_ID]abcdef123[ARGS]{\"a\": \"}[\"}#|add({\"a\": \"}[\"})",
        "[TOOL_CALLS]add{\"a\": 1}[TOOL_CALLS]now[ARGS] {}#|add({\"a\": 1})|now({})",
        "Hm. [TOOL_CALLS]now[ARGS]{} done#`Hm.  done|now({})`",
        // Not calls.
        "[TOOL_CALLS]rm[ARGS]{}#[TOOL_CALLS]rm[ARGS]{}",
        "[TOOL_CALLS]now[ARG]{}#[TOOL_CALLS]now[ARG]{}",
        "[TOOL_CALLS]now[ARGS]5#[TOOL_CALLS]now[ARGS]5",
        "[TOOL_CALLS]now please#[TOOL_CALLS]now please",
        "[TOOL_CALLS][]#[TOOL_CALLS][]",
        "[TOOL_CALLS][{\"name\": \"rm\"}]#[TOOL_CALLS][{\"name\": \"rm\"}]",
        "[TOOL_CALLS][{\"name\":\"now\",\"arguments\":{}}, {\"name\":\"rm\"}]#,"
            + " {\"name\":\"rm\"}]|now({})",
        "[TOOL_CALLS]now[CALL_ID]ab#[TOOL_CALLS]now[CALL_ID]ab",
        "[TOOL_CALLS]#[TOOL_CALLS]",
        // Cut off.
        "[TOOL_CALLS]add[ARGS]{\"a\": 1#|add({\"a\": 1)",
        "[TOOL_CALLS][{\"name\":\"now\",\"arguments\":{}},#|now({})",
        "[TOOL_CALLS]add[ARGS]{\"a\": ]}#]}|add({\"a\": )",
      })
  void shouldReadMistral(String text, String expected) {
    assertEquals(expected, shown(parse(ToolCallFormat.MISTRAL, text)));
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
