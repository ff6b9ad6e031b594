package dev.stator.model.text.template;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.model.text.ChatTemplateException;
import dev.stator.model.text.ChatTemplates;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** No template hangs a thread, exhausts the heap, or fails with anything but the one exception. */
class HostileTemplateTest {
  private static final Limits SMALL = new Limits(200_000, 100_000, 200_000, 1_000_000, 50_000, 300);
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int MUTANTS = 3_000;
  private static final long SEED = 20_261_121;
  private static final String DOUBLING =
      "{% set ns = namespace(x=START) %}{% for i in range(99) %}{% set ns.x = STEP %}{% endfor %}";

  private static String render(String source) {
    final List<JsonNode> chat =
        TemplateFixtures.list(
            TemplateFixtures.json("[{\"role\":\"user\",\"content\":\"hi\",\"tool_calls\":[]}]"));
    return ChatTemplates.compile(source, "<s>", "</s>", SMALL, TemplateFixtures.CLOCK)
        .render(chat, List.of(), true, Map.of());
  }

  private static String failure(String source) {
    return assertTimeoutPreemptively(
        PATIENCE,
        () -> assertThrows(ChatTemplateException.class, () -> render(source)).getMessage());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{% set ns = namespace(x=[1], y=[1]) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x]"
            + " %}{% set ns.y = [ns.y, ns.y] %}{% endfor %}{{ ns.x == ns.y }}",
        "{% set a = 'a' * 200000 %}{% set b = 'a' * 100000 ~ 'b' %}{{ b in a }}",
        "{% set a = 'a' * 200000 %}{% for i in range(99999) %}{{ a|length }}{% endfor %}",
      })
  void shouldEndWhenATemplateRunsTooLong(String source) {
    assertTrue(failure(source).startsWith("the template ran longer than 200000 steps"), source);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{{ 'a' * 10 ** 12 }}",
        "{{ 'a'|center(10 ** 9) }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '{:999999999}'.format(1) }}",
        "{{ 'a\tb'.expandtabs(10 ** 9) }}",
        "{{ 'a\nb'|indent(10 ** 9) }}",
        "{{ [1]|tojson(indent=10 ** 9) }}",
        "{{ ('a' * 10000)|replace('', 'b' * 10000) }}",
        "{{ (['a'] * 1000)|join('b' * 10000) }}",
        "{{ strftime_now('%c' * 100000) }}",
      })
  void shouldEndWhenATemplateBuildsTooMuchText(String source) {
    assertTrue(
        failure(source).startsWith("the template built more than 1000000 characters"), source);
  }

  @ParameterizedTest
  @CsvSource({
    "'ab',ns.x + ns.x",
    "'ab',ns.x ~ ns.x",
    "[1],ns.x + ns.x",
    "'2',(ns.x|int * ns.x|int)|string"
  })
  void shouldEndWhenAValueDoublesAgainAndAgain(String start, String step) {
    final String quoted = start.startsWith("[") ? start : "'" + start + "'";
    final String message = failure(DOUBLING.replace("START", quoted).replace("STEP", step));
    assertTrue(message.contains("more than"), message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"{{ ns.x }}", "{{ ns.x|tojson }}", "{{ {ns.x: 1} }}", "{{ {}[ns.x] }}"})
  void shouldEndWhenAValueSharesItsPartsExponentially(String use) {
    final String build = DOUBLING.replace("START", "(1,)").replace("STEP", "(ns.x, ns.x)");
    assertTrue(
        failure(build + use).contains("more than") || failure(build + use).contains("longer than"),
        use);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "(;1;)",
        "[;;]",
        "'not ';1;''",
        "'- ';1;''",
        "1+;1;''",
        "x|upper|;upper;''",
        "{1:;1;}",
        "'1 if 1 else ';1;''",
        "x.a.;a;''"
      })
  void shouldEndWhenAnExpressionNestsTooDeep(String open, String middle, String close) {
    final int times = 10_000;
    final String message =
        failure("{{ " + open.repeat(times) + middle + close.repeat(times) + " }}");
    assertTrue(message.contains("nest"), message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"{% if 1 %}", "{% for x in y %}", "{% macro m() %}", "{% set x %}"})
  void shouldEndWhenTagsNestTooDeep(String tag) {
    assertTrue(failure(tag.repeat(10_000)).startsWith("the template nests deeper than"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{% set ns = namespace(x=1) %}{% for i in range(9999) %}{% set ns.x = [ns.x] %}{% endfor"
            + " %}",
        "{% set ns = namespace(x='a') %}{% for i in range(20000) %}{% set ns.x = ns.x|map('string')"
            + " %}{% endfor %}{{ ns.x|list }}",
      })
  void shouldEndWhenARenderNestsTooDeepEvenOnASmallStack(String source)
      throws InterruptedException {
    final AtomicReference<Throwable> thrown = new AtomicReference<>();
    final Thread thread =
        new Thread(
            null,
            () -> thrown.set(assertThrows(Throwable.class, () -> render(source))),
            "small",
            256 << 10);
    thread.start();
    assertTrue(thread.join(PATIENCE));
    assertEquals(ChatTemplateException.class, thrown.get().getClass());
    assertTrue(thrown.get().getMessage().contains("nests"), thrown.get().getMessage());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{{ 2 ** 10000000000 }}", "{{ 2 ** 99999999 }}", "{{ '%.1000000000f' % 1 }}",
            "{{ [1]|batch(10 ** 9, 'x')|list }}",
        "{{ [1]|slice(10 ** 9)|list }}", "{{ range(10 ** 18) }}", "{{ [0] * 10 ** 12 }}",
            "{{ 1.5|round(10 ** 9, 'ceil') }}",
        "{{ 'x' * 1000000 }}", "{{ ([{'a': 1}] * 1000)|sort(attribute=',' * 100000) }}"
      })
  void shouldEndWhenANumberIsAbsurd(String source) {
    final String message = failure(source);
    assertTrue(message.contains("more than") || message.contains("longer than"), message);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{{ ('1' * 100000 ~ 'x')|float }}",
        "{{ ('1' * 100000)|int }}",
        "{{ 1.5|round(10 ** 9) }}"
      })
  void shouldAnswerQuicklyWhenALongTextIsNoNumber(String source) {
    assertTimeoutPreemptively(PATIENCE, () -> assertTrue(render(source).length() < 4));
  }

  @Test
  void shouldRefuseASourceThatIsTooLong() {
    assertEquals(
        "the chat template has 200001 characters, the limit is 200000",
        failure("x".repeat(200_001)));
  }

  @Test
  void shouldRefuseMessagesThatNestTooDeep() {
    final JsonNode deep = TemplateFixtures.json("[".repeat(900) + "]".repeat(900));
    final var template = TemplateFixtures.compile("{{ messages }}");
    assertThrows(
        ChatTemplateException.class,
        () -> template.render(List.of(deep), List.of(), false, Map.of()));
  }

  /**
   * Real templates and the conformance table, cut up: each mutant renders, or fails as it should.
   */
  @Test
  void shouldOnlyFailAsAChatTemplateWhenATemplateIsMutated() {
    final List<String> sources = new ArrayList<>();
    TemplateFixtures.TEMPLATES.forEach(name -> sources.add(TemplateFixtures.source(name)));
    TemplateFixtures.resource("expressions.json")
        .get("cases")
        .forEach(c -> sources.add(c.get(0).textValue()));
    final Random random = new Random(SEED);
    int rendered = 0;
    for (int i = 0; i < MUTANTS; i++) {
      final String mutant = mutate(random, sources);
      rendered += assertTimeoutPreemptively(PATIENCE, () -> survives(mutant)) ? 1 : 0;
    }
    assertTrue(rendered > MUTANTS / 20 && rendered < MUTANTS * 19 / 20, "rendered " + rendered);
  }

  private static boolean survives(String source) {
    try {
      render(source);
      return true;
    } catch (ChatTemplateException e) {
      return false;
    } catch (RuntimeException | Error e) {
      throw new AssertionError("this template failed otherwise: " + source, e);
    }
  }

  private static String mutate(Random random, List<String> sources) {
    final boolean real = random.nextInt(4) == 0;
    final StringBuilder text =
        new StringBuilder(
            sources.get(random.nextInt(real ? TemplateFixtures.TEMPLATES.size() : sources.size())));
    for (int i = random.nextInt(4); i >= 0; i--) {
      final int at = random.nextInt(text.length() + 1);
      final int end = Math.min(text.length(), at + 1 + random.nextInt(12));
      final String other = sources.get(random.nextInt(sources.size()));
      final int from = other.isEmpty() ? 0 : random.nextInt(other.length());
      final String piece =
          other.substring(from, Math.min(other.length(), from + random.nextInt(20)));
      switch (random.nextInt(4)) {
        case 0 -> text.delete(at, end);
        case 1 -> text.insert(at, piece);
        case 2 -> text.replace(at, end, piece);
        default -> text.insert(at, text.substring(at, end));
      }
    }
    return text.toString();
  }
}
