package dev.stator.model.text.template;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.model.text.ChatTemplate;
import dev.stator.model.text.ChatTemplateException;
import dev.stator.model.text.ChatTemplates;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ChatTemplateTest {
  private static final List<JsonNode> CHAT = messages("{'role': 'user', 'content': 'Grüezi'}");
  private static final List<JsonNode> TWO_USERS =
      messages("{'role': 'user', 'content': 'a'}, {'role': 'user', 'content': 'b'}");

  private static List<JsonNode> messages(String objects) {
    return TemplateFixtures.list(TemplateFixtures.json(("[" + objects + "]").replace('\'', '"')));
  }

  private static String render(String source, Map<String, JsonNode> variables) {
    return TemplateFixtures.compile(source).render(CHAT, List.of(), false, variables);
  }

  private static String failure(String source) {
    return assertThrows(ChatTemplateException.class, () -> render(source, Map.of())).getMessage();
  }

  @Test
  void shouldKeepItsSource() {
    assertEquals("{{ 1 }}\n", TemplateFixtures.compile("{{ 1 }}\n").source());
  }

  @Test
  void shouldRejectWithTheTemplatesOwnWordsWhenRolesDoNotAlternate() {
    final ChatTemplate mistral =
        TemplateFixtures.compile(
            TemplateFixtures.source("mistralai-Mistral-Nemo-Instruct-2407.jinja"));
    final var rejection =
        assertThrows(
            ChatTemplateException.class,
            () -> mistral.render(TWO_USERS, List.of(), true, Map.of()));
    assertEquals(
        "After the optional system message, conversation roles must alternate"
            + " user/assistant/user/assistant/... (chat template, line 18)",
        rejection.getMessage());
  }

  @Test
  void shouldNameTheLineWhenTheSourceIsNoTemplate() {
    assertEquals("unknown tag 'fro' (chat template, line 2)", failure("a\n{% fro x in y %}"));
    assertEquals("unexpected '}' (chat template, line 3)", failure("\n\n{{ [1 }}"));
    assertEquals(
        "the template ends where elif or else or endif was expected (chat template, line 1)",
        failure("{% if 1 %}"));
    assertEquals(
        "expected an expression, got end of print statement (chat template, line 1)",
        failure("{{ }}"));
    assertEquals("a string has no end (chat template, line 2)", failure("\n{{ 'abc }}"));
  }

  @Test
  void shouldNameTheLineWhenRenderingFails() {
    assertEquals("'nobody' is undefined (chat template, line 2)", failure("\n{{ nobody.name }}"));
    assertEquals(
        "'dict object' has no attribute 'tool' (chat template, line 4)",
        failure("{% for m in messages %}\n\n{{ m.role }}\n{{ m.tool + 'x' }}{% endfor %}"));
    assertEquals(
        "there is no filter named 'nope' (chat template, line 1)", failure("{{ 1|nope }}"));
    assertEquals(
        "division by zero (chat template, line 2)",
        failure("{% macro m(x) %}\n{{ 1 / x }}{% endmacro %}\n\n{{ m(0) }}"));
  }

  @Test
  void shouldLeaveATokenUndefinedWhenTheModelHasNone() {
    final String source = "[{{ bos_token }}{{ eos_token is defined }}]";
    assertEquals("[<s>True]", render(source, Map.of()));
    final ChatTemplate bare = ChatTemplates.compile(source, null, null);
    assertEquals("[False]", bare.render(CHAT, List.of(), false, Map.of()));
  }

  @Test
  void shouldReadTheDateFromItsClock() {
    assertEquals("21 Nov 2026", render("{{ strftime_now('%d %b %Y') }}", Map.of()));
  }

  @Test
  void shouldKeepTheOrderOfFieldsWhenItPrintsJson() {
    final Map<String, JsonNode> variables =
        Map.of("x", TemplateFixtures.json("{\"z\":1,\"a\":{\"é\":[]}}"));
    assertEquals("{\"z\": 1, \"a\": {\"é\": []}}", render("{{ x|tojson }}", variables));
  }

  @Test
  void shouldSeeNoToolsAsNone() {
    assertEquals("True True", render("{{ tools is defined }} {{ tools is none }}", Map.of()));
  }

  @Test
  void shouldPreferTheChatWhenAVariableHasItsName() {
    final Map<String, JsonNode> forged = Map.of("messages", TemplateFixtures.json("[]"));
    assertEquals("1", render("{{ messages|length }}", forged));
  }

  @Test
  void shouldReachIntoNoJavaObject() {
    for (final String path :
        List.of(
            "messages.class",
            "messages[0].getClass",
            "range.class",
            "loop.budget",
            "messages.items")) {
      assertEquals(
          "",
          render("{{ " + path + (path.startsWith("loop") ? " if false" : "") + " }}", Map.of()));
    }
    assertThrows(ChatTemplateException.class, () -> render("{{ messages.getClass() }}", Map.of()));
  }

  @Test
  void shouldRenderTheSameWhenManyThreadsShareIt() {
    final ChatTemplate qwen =
        TemplateFixtures.compile(TemplateFixtures.source("Qwen-Qwen3-0.6B.jinja"));
    final String once = qwen.render(CHAT, List.of(), true, Map.of());
    final List<String> renders =
        IntStream.range(0, 64)
            .parallel()
            .mapToObj(i -> qwen.render(CHAT, List.of(), true, Map.of()))
            .toList();
    assertEquals(64, renders.stream().filter(once::equals).count());
  }
}
