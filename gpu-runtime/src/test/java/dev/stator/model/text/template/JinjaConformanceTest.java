package dev.stator.model.text.template;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.model.text.ChatTemplate;
import dev.stator.model.text.ChatTemplateException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Against the answers of Python's jinja2 3.1.6, which src/test/python/template wrote down. */
class JinjaConformanceTest {
  private static final int EXPRESSIONS_MIN = 1_400;
  private static final int CONVERSATIONS_MIN = 1_200;

  @Test
  void shouldAnswerEverySmallTemplateAsPythonDoes() {
    final JsonNode table = TemplateFixtures.resource("expressions.json");
    final Map<String, JsonNode> variables = TemplateFixtures.map(table.get("variables"));
    final List<String> differences = new ArrayList<>();
    for (final JsonNode item : table.get("cases")) {
      final String source = item.get(0).textValue();
      compare(
          differences,
          source,
          item.get(1).textValue(),
          TemplateFixtures.renderOrNull(source, variables));
    }
    assertTrue(table.get("cases").size() >= EXPRESSIONS_MIN);
    assertEquals(List.of(), differences);
  }

  @Test
  void shouldRenderEveryConversationWithEveryRealTemplateAsPythonDoes() {
    final JsonNode table = TemplateFixtures.resource("conversations.json");
    final Map<String, ChatTemplate> templates = new HashMap<>();
    TemplateFixtures.TEMPLATES.forEach(
        name -> templates.put(name, TemplateFixtures.compile(TemplateFixtures.source(name))));
    final List<String> differences = new ArrayList<>();
    for (final JsonNode item : table.get("cases")) {
      final String rendered = render(templates.get(item.get(0).textValue()), table, item);
      compare(differences, item.toString(), item.get(5).textValue(), rendered);
    }
    assertTrue(table.get("cases").size() >= CONVERSATIONS_MIN);
    assertEquals(List.of(), differences);
  }

  private static void compare(
      List<String> differences, String what, String expected, String actual) {
    if (!Objects.equals(expected, actual)) {
      differences.add(what + "\n expected: " + expected + "\n actual:   " + actual + "\n");
    }
  }

  /**
   * A case is [template, chat, tools, add_generation_prompt, variables, text]; null where it fails.
   */
  private static String render(ChatTemplate template, JsonNode table, JsonNode item) {
    final JsonNode variables = table.get("variables").path(item.get(4).asText());
    try {
      return template.render(
          TemplateFixtures.list(table.get("chats").get(item.get(1).textValue())),
          TemplateFixtures.list(table.get("toolsets").get(item.get(2).textValue())),
          item.get(3).booleanValue(),
          TemplateFixtures.map(variables));
    } catch (ChatTemplateException e) {
      return null;
    }
  }
}
