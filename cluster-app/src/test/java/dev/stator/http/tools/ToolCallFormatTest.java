package dev.stator.http.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ToolCallFormatTest {
  private static final String TEMPLATES = "/dev/stator/model/text/template/templates/";

  @ParameterizedTest
  @CsvSource({
    "Qwen-Qwen2.5-7B-Instruct,HERMES",
    "Qwen-Qwen3-0.6B,HERMES",
    "meta-llama-Llama-3.1-8B-Instruct,LLAMA_JSON",
    "meta-llama-Llama-3.2-3B-Instruct,LLAMA_JSON",
    "mistralai-Mistral-Nemo-Instruct-2407,MISTRAL"
  })
  void shouldKnowTheFormatOfARealTemplate(String template, ToolCallFormat format)
      throws IOException {
    assertEquals(Optional.of(format), ToolCallFormat.of(source(template)));
  }

  @Test
  void shouldKnowNoFormatWhenTheTemplateTeachesAnother() throws IOException {
    assertEquals(
        Optional.empty(), ToolCallFormat.of(source("deepseek-ai-DeepSeek-R1-Distill-Llama-8B")));
    assertEquals(Optional.empty(), ToolCallFormat.of("{{ messages[0].content }}"));
    assertEquals(Optional.empty(), ToolCallFormat.of("<tool_call>\n<function=name>"));
  }

  private static String source(String template) throws IOException {
    try (InputStream in =
        ToolCallFormatTest.class.getResourceAsStream(TEMPLATES + template + ".jinja")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Test
  void shouldMakeIdsThatEveryTemplateTakes() {
    final Supplier<String> ids = ToolCallIds.from(new Random(1));
    final String first = ids.get();
    assertTrue(first.matches("[A-Za-z0-9]{9}"), first);
    assertTrue(!first.equals(ids.get()));
  }
}
