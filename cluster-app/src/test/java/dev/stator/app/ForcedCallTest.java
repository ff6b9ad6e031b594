package dev.stator.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.typesafe.config.ConfigFactory;
import dev.stator.http.tools.ParsedAnswer;
import dev.stator.http.tools.ToolCallForm;
import dev.stator.http.tools.ToolCallFormat;
import dev.stator.model.LoadedModel;
import dev.stator.model.file.ModelFiles;
import dev.stator.model.grammar.ConstrainedText;
import dev.stator.model.grammar.Constraint;
import dev.stator.model.grammar.ConstraintCompiler;
import dev.stator.model.grammar.GrammarSettings;
import dev.stator.model.grammar.TokenTrie;
import dev.stator.testing.TestModels;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whatever a model writes under the form of a forced call, its parser finds valid calls in it. */
class ForcedCallTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int ANSWERS = 25;
  private static final int TOKENS_MAX = 400;

  private static LoadedModel model;
  private static ConstraintCompiler compiler;

  @BeforeAll
  static void openModel() {
    model = ModelFiles.open(TestModels.bundled());
    final TokenTrie trie = TokenTrie.of(model.tokenizer());
    compiler =
        new ConstraintCompiler(
            () -> trie, GrammarSettings.from(ConfigFactory.load()), Runnable::run);
  }

  @AfterAll
  static void closeModel() {
    model.close();
  }

  @ParameterizedTest
  @CsvSource({
    "HERMES, <tool_call>, true, 2",
    "HERMES, <tool_call>, false, 1",
    "LLAMA_JSON, <|python_tag|>, true, 2",
    "MISTRAL, [TOOL_CALLS], true, 2",
    "MISTRAL, [TOOL_CALLS], false, 2",
    "MISTRAL, [TOOL_CALLS] [ARGS], true, 2",
    "MISTRAL, [TOOL_CALLS] [ARGS], true, 1"
  })
  void shouldOnlyLetCallsThrough(
      ToolCallFormat format, String template, boolean parallel, int tools) throws Exception {
    final Map<String, String> schemas = new LinkedHashMap<>();
    schemas.put(
        "look_up",
        "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\","
            + "\"minimum\":1,\"maximum\":9}},\"required\":[\"n\"]}");
    if (tools > 1) schemas.put("stop", "{\"type\":\"object\",\"properties\":{}}");
    final ToolCallForm form = new ToolCallForm(format, template, schemas, model.tokenizer());
    final Random random = new Random(1);
    int most = 0;
    for (int i = 0; i < ANSWERS; i++) {
      final String text = form.begin() + answer(form.rest(parallel), random);
      final ParsedAnswer parsed = format.parser(schemas.keySet(), () -> "id").parse(text);
      assertEquals("", parsed.content(), text);
      assertTrue(parsed.calls().size() >= 1, text);
      most = Math.max(most, parsed.calls().size());
      for (ParsedAnswer.Call call : parsed.calls()) {
        final JsonNode arguments = JSON.readTree(call.arguments());
        if (call.name().equals("stop")) {
          assertTrue(arguments.isEmpty(), text);
        } else {
          final int n = arguments.path("n").intValue();
          assertTrue(arguments.size() == 1 && n >= 1 && n <= 9, text);
        }
      }
    }
    assertEquals(parallel, most > 1);
  }

  /** Any token that is allowed, until the answer may end and a coin says so. */
  private static String answer(Constraint constraint, Random random) {
    final ConstrainedText text = ConstraintCompiler.begin(compiler.compile(constraint.toText()));
    final List<Integer> tokens = new ArrayList<>();
    while (!text.isComplete() || text.goesOn() && random.nextBoolean()) {
      final long[] allowed = text.allowed();
      final int[] choices =
          IntStream.range(0, allowed.length * 64)
              .filter(token -> (allowed[token >> 6] >> token & 1) == 1)
              .toArray();
      final int token = choices[random.nextInt(choices.length)];
      assertTrue(text.add(token));
      tokens.add(token);
      assertTrue(tokens.size() < TOKENS_MAX, "no end");
    }
    return model.tokenizer().decode(tokens.stream().mapToInt(Integer::intValue).toArray(), false);
  }
}
