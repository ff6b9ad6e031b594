package dev.stator.model.grammar;

import static dev.stator.model.grammar.GrammarFixture.accepts;
import static dev.stator.model.grammar.GrammarFixture.schema;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.networknt.schema.InputFormat;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** JSON schemas against an independent validator, JSON itself against Jackson. */
class JsonSchemaTest {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .build();
  private static final String ALPHABET = "{}[]\":,. \nabtrufalsen0123456789-eE\\é漢";
  private static final ListTokenizer TOKENIZER = ListTokenizer.random(new Random(5), ALPHABET, 400);
  private static final TokenTrie TRIE = TokenTrie.of(TOKENIZER);
  private static final int DRAWS = 60;
  private static final int TOKENS_MAX = 3_000;

  static Stream<String> schemas() {
    return Stream.of(
        "{'type':'object'}",
        "true",
        "{}",
        "{'type':['string','null','integer','boolean']}",
        "{'type':'object','properties':{'a':{'type':'integer'},'b':{'type':'string'},"
            + "'c':{'type':'array','items':{'type':'number'}}},'required':['b']}",
        "{'type':'object','properties':{'a':{'type':'null'},'ab':{'enum':[1,'x',null,[1,{'y':2.50}]]}},"
            + "'additionalProperties':{'type':'integer'},'required':['zz','a']}",
        "{'type':'object','properties':{'a':{},'b':{}},'additionalProperties':false}",
        "{'type':'array','items':{'type':'boolean'},'minItems':2,'maxItems':4}",
        "{'type':'array','prefixItems':[{'type':'null'},{'const':7}],'items':{'type':'string'},'minItems':1}",
        "{'type':'array','prefixItems':[{'type':'null'},{'const':7}],'items':false,'maxItems':1}",
        "{'type':'string','minLength':2,'maxLength':5}",
        "{'type':'string','pattern':'^[a-c]+\\\\d?$'}",
        "{'type':'string','pattern':'b.[\\\"\\\\\\\\]'}",
        "{'type':'integer','minimum':-37,'exclusiveMaximum':1204}",
        "{'type':'integer','exclusiveMinimum':99}",
        "{'type':'integer','maximum':-1000}",
        "{'type':'number','minimum':-1.5,'maximum':3.25}",
        "{'type':'number','exclusiveMinimum':0,'exclusiveMaximum':0.125}",
        "{'type':'number','exclusiveMaximum':-2}",
        "{'type':'number','minimum':3,'maximum':3}",
        "{'anyOf':[{'type':'string'},{'type':'object','properties':{'k':{'type':'integer'}},"
            + "'required':['k']}]}",
        "{'oneOf':[{'type':'object','properties':{'kind':{'const':'x'},'n':{'type':'integer'}},"
            + "'required':['kind','n']},{'type':'object','properties':{'kind':{'const':'y'}},"
            + "'required':['kind']}]}",
        "{'allOf':[{'type':'object','properties':{'a':{'type':'integer'}},'required':['a']},"
            + "{'$ref':'#/$defs/b'}],'$defs':{'b':{'properties':{'b':{'type':'null'},"
            + "'a':{'minimum':3}},'required':['b']}}}",
        "{'type':'object','properties':{'v':{'type':'integer'},'next':{'anyOf':[{'$ref':'#'},"
            + "{'type':'null'}]}},'required':['v','next']}",
        "{'$ref':'#/definitions/tree','definitions':{'tree':{'type':'array',"
            + "'items':{'$ref':'#/definitions/tree'}}}}",
        "{'type':'string','enum':['a\\nb','\\\"','\\u0001',3]}",
        "{'type':'string','format':'date'}",
        "{'type':'string','format':'date-time'}",
        "{'type':'string','format':'uuid'}",
        "{'type':'string','format':'ipv4'}");
  }

  @ParameterizedTest
  @MethodSource("schemas")
  void shouldOnlyWriteWhatTheSchemaAllows(String quoted) throws JsonProcessingException {
    final String text = quoted.replace('\'', '"');
    final JsonSchema oracle = oracle(text);
    final Automaton automaton = GrammarFixture.automaton(new Constraint.JsonSchema(text), TRIE);
    final Random random = new Random(6);
    int ended = 0;
    for (int i = 0; i < DRAWS; i++) {
      final List<Integer> tokens = GrammarFixture.draw(automaton, random, TOKENS_MAX);
      if (tokens == null) continue; // Random text nests without end now and then.
      ended++;
      final String answer =
          TOKENIZER.decode(tokens.stream().mapToInt(Integer::intValue).toArray(), true);
      final JsonNode value = JSON.readTree(answer);
      assertTrue(oracle.validate(value).isEmpty(), () -> answer + oracle.validate(value));
    }
    assertTrue(ended > DRAWS / 4, "only so many ended: " + ended);
  }

  /** The oracle knows which top-level domains there are. */
  @Test
  void shouldAllowMailAddresses() {
    final Constraint email = schema("{'type':'string','format':'email'}");
    assertTrue(accepts(email, "\"ada.lovelace@analytical-engine.example.org\""));
    assertFalse(accepts(email, "\"ada.lovelace@\""));
  }

  private static JsonSchema oracle(String schema) {
    final var config =
        com.networknt.schema.SchemaValidatorsConfig.builder().formatAssertionsEnabled(true).build();
    return JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
        .getSchema(schema, InputFormat.JSON, config);
  }

  @Test
  void shouldReadWhatJacksonReads() {
    final Automaton any = GrammarFixture.automaton(schema("true"), GrammarFixture.BYTES);
    final Random random = new Random(7);
    int valid = 0;
    for (int i = 0; i < 6_000; i++) {
      final String text = mutated(random, json(random, 3));
      if (text.matches("(?s).*(  |\\s\\n|[\\t\\r]|^\\s|\\s$).*"))
        continue; // Layouts it leaves out.
      boolean expected;
      try {
        JSON.readTree(text);
        expected = !text.isEmpty() && !text.contains("\\uD") && !text.contains("\\ud");
      } catch (JsonProcessingException notJson) {
        expected = false;
        if (notJson.getMessage().contains("Duplicate field")) continue;
      }
      if (expected) valid++;
      assertEquals(expected, accepts(any, text), text);
    }
    assertTrue(valid > 1_000, "too few are valid: " + valid);
  }

  @Test
  void shouldAllowEachTokenOfAValidTextsTokens() throws JsonProcessingException {
    final Automaton any = GrammarFixture.automaton(schema("true"), TRIE);
    final Random random = new Random(8);
    for (int i = 0; i < 300; i++) {
      final JsonNode value = JSON.readTree(json(random, 3));
      for (String text : List.of(value.toString(), value.toPrettyString())) {
        final ConstrainedText answer = new ConstrainedText(any);
        for (int token : TOKENIZER.encode(text, null)) {
          assertTrue((answer.allowed()[token >> 6] >> token & 1) == 1, text);
          assertTrue(answer.add(token));
        }
        assertTrue(answer.isComplete(), text);
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '@',
      quoteCharacter = '`',
      value = {
        "{'type':'object','properties':{'a':{'type':'string','not':{}}}} @ /properties/a/not",
        "{'type':'array','items':{'uniqueItems':true}} @ /items/uniqueItems",
        "{'patternProperties':{}} @ 'patternProperties' is not supported",
        "{'type':'string','format':'idn-email'} @ 'idn-email' is not supported",
        "{'type':'string','pattern':'(?=a)'} @ /pattern, character",
        "{'type':'frob'} @ 'frob' is no type",
        "{'type':'number','multipleOf':3} @ only supported with 1",
        "{'oneOf':[{'type':'integer'},{'type':'number'}]} @ exclude each other",
        "{'$ref':'http://example.com/x'} @ within the schema",
        "{'$ref':'#/$defs/x'} @ nothing at",
        "{'$ref':'#'} @ no text is allowed",
        "{'type':'object','properties':{'a':{'$ref':'#'}},'required':['a']} @ no text is allowed",
        "{'type':'object','required':['a'],'additionalProperties':false} @ no text is allowed",
        "false @ no text is allowed",
        "{'const':1,'enum':[2]} @ no text is allowed",
        "{'enum':[]} @ list",
        "{'type':'string','minLength':-1} @ not negative",
        "{'type':'string','maxLength':1000000} @ states-max",
        "{'anyOf':[{'$ref':'#'},{'$ref':'#'}],'type':'object'} @ stator.grammar",
        "{'allOf':[{'$ref':'#'},{'$ref':'#'}]} @ stator.grammar",
        "[1] @ must be an object or a boolean",
        "{'type':'object' @ not valid JSON",
        "{'type':'string','type':'null'} @ not valid JSON",
        "{'type':'string','enum':['\\ud800']} @ half a character"
      })
  void shouldNameWhatItDoesNotKeep(String schema, String reason) {
    final ConstraintException fault =
        assertThrows(
            ConstraintException.class,
            () -> ConstraintCompiler.check(schema(schema), GrammarFixture.SETTINGS));
    assertTrue(fault.getMessage().contains(reason.strip()), fault.getMessage());
  }

  @Test
  void shouldRefuseSchemasNestedTooDeeply() {
    final String deep = "{'items':".repeat(5_000) + "true" + "}".repeat(5_000);
    assertThrows(
        ConstraintException.class,
        () -> ConstraintCompiler.check(schema(deep), GrammarFixture.SETTINGS));
  }

  private static String json(Random random, int depth) {
    return switch (random.nextInt(depth == 0 ? 4 : 6)) {
      case 0 -> List.of("0", "-1", "12.5", "1e5", "-0.0E-2").get(random.nextInt(5));
      case 1 -> List.of("true", "false", "null").get(random.nextInt(3));
      case 2, 3 ->
          List.of("\"\"", "\"a b\"", "\"é漢\\n\"", "\"\\u0041\\\\\"").get(random.nextInt(4));
      case 4 -> "[" + String.join(", ", values(random, depth)) + "]";
      default -> {
        final List<String> members = new ArrayList<>();
        for (String value : values(random, depth)) {
          members.add("\"k" + members.size() + "\": " + value);
        }
        yield "{" + String.join(",", members) + "}";
      }
    };
  }

  private static List<String> values(Random random, int depth) {
    final List<String> values = new ArrayList<>();
    for (int i = random.nextInt(4); i > 0; i--) values.add(json(random, depth - 1));
    return values;
  }

  private static String mutated(Random random, String text) {
    final StringBuilder mutated = new StringBuilder(text);
    if (random.nextBoolean() && !mutated.isEmpty()) {
      final int at = random.nextInt(mutated.length());
      if (random.nextBoolean()) mutated.deleteCharAt(at);
      else mutated.insert(at, ALPHABET.charAt(random.nextInt(ALPHABET.length())));
    }
    return mutated.toString();
  }
}
