package dev.stator.model.text.template;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.stator.model.text.ChatTemplate;
import dev.stator.model.text.ChatTemplateException;
import dev.stator.model.text.ChatTemplates;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the template tests share: resources, and the settings that src/test/python/template uses.
 */
final class TemplateFixtures {
  static final Clock CLOCK =
      Clock.fixed(
          LocalDateTime.of(2026, 11, 21, 9, 5, 7).toInstant(ZoneOffset.UTC), ZoneOffset.UTC);
  static final String STATOR_TINY = "stator-tiny";
  static final List<String> TEMPLATES =
      List.of(
          "Qwen-Qwen2.5-7B-Instruct.jinja",
          "Qwen-Qwen3-0.6B.jinja",
          "deepseek-ai-DeepSeek-R1-Distill-Llama-8B.jinja",
          "meta-llama-Llama-3.1-8B-Instruct.jinja",
          "meta-llama-Llama-3.2-3B-Instruct.jinja",
          "mistralai-Mistral-Nemo-Instruct-2407.jinja",
          STATOR_TINY);
  private static final ObjectMapper JSON = new ObjectMapper();

  private TemplateFixtures() {}

  static JsonNode json(String text) {
    try {
      return JSON.readTree(text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static JsonNode resource(String name) {
    try (InputStream in = TemplateFixtures.class.getResourceAsStream(name)) {
      return JSON.readTree(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The source of one of {@link #TEMPLATES}. */
  static String source(String name) {
    try {
      if (name.equals(STATOR_TINY)) {
        final Path root = Path.of(System.getProperty("stator.root"));
        return Files.readString(
            root.resolve("gpu-runtime/models/stator-tiny/train/chat_template.jinja"));
      }
      try (InputStream in = TemplateFixtures.class.getResourceAsStream("templates/" + name)) {
        return new String(in.readAllBytes(), StandardCharsets.UTF_8);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static ChatTemplate compile(String source) {
    return ChatTemplates.compile(source, "<s>", "</s>", Limits.DEFAULT, CLOCK);
  }

  static List<JsonNode> list(JsonNode array) {
    final List<JsonNode> items = new ArrayList<>();
    array.forEach(items::add);
    return items;
  }

  static Map<String, JsonNode> map(JsonNode object) {
    final Map<String, JsonNode> fields = new LinkedHashMap<>();
    object.properties().forEach(field -> fields.put(field.getKey(), field.getValue()));
    return fields;
  }

  /** What a source renders to with variables alone, or null where it fails. */
  static String renderOrNull(String source, Map<String, JsonNode> variables) {
    try {
      return compile(source).render(List.of(), List.of(), false, variables);
    } catch (ChatTemplateException e) {
      return null;
    }
  }
}
