package dev.stator.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import dev.stator.device.simulated.SimulatedDevice;
import dev.stator.model.LoadedModel;
import dev.stator.model.file.ModelFiles;
import dev.stator.model.grammar.Constraint;
import dev.stator.model.grammar.ConstraintCompiler;
import dev.stator.model.grammar.GrammarSettings;
import dev.stator.model.grammar.TokenTrie;
import dev.stator.testing.TestModels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Answers under a constraint, of logits that are a hash, over the bundled model's vocabulary. */
class ConstrainedEngineTest {
  private static final EngineSettings SETTINGS = new EngineSettings(64, 16, 8, 16, 64, 4096, 64, 0);
  private static final String DATES = "(\\d{4}-\\d\\d-\\d\\d( and )?){2,6}";
  private static final int[] PROMPT = {5, 6, 7, 8, 9};

  private static LoadedModel model;
  private static TokenTrie trie;

  private final Requests with = new Requests();

  @BeforeAll
  static void openModel() {
    model = ModelFiles.open(TestModels.bundled());
    trie = TokenTrie.of(model.tokenizer());
  }

  @AfterAll
  static void closeModel() {
    model.close();
  }

  @Test
  void shouldKeepTheConstraintHoweverItSamples() {
    final Pattern dates = Pattern.compile(DATES);
    for (float temperature : new float[] {0, 1}) {
      for (boolean logprobs : new boolean[] {false, true}) {
        with.temperature = temperature;
        with.logprobs = logprobs;
        with.topLogprobs = logprobs ? 5 : 0;
        with.repetitionPenalty = 1.1f;
        with.topP = 0.95f;
        with.maxTokens = 200;
        final Answer answer = run(request("a", new Constraint.Regex(DATES)), 64).get(id("a"));
        assertEquals(FinishReason.STOP, answer.finish);
        assertTrue(dates.matcher(answer.text()).matches(), answer.text());
        for (SampledToken token : answer.tokens) {
          assertEquals(logprobs, token.logprob() <= 0);
          token.alternatives().forEach(other -> assertTrue(Float.isFinite(other.logprob())));
        }
      }
    }
  }

  @Test
  void shouldChooseTheSameGreedyTokensWithAndWithoutLogprobs() {
    with.maxTokens = 60;
    final GenerationRequest quick = request("a", Constraint.JSON_OBJECT);
    with.logprobs = true;
    final GenerationRequest whole = request("a", Constraint.JSON_OBJECT);
    assertEquals(run(quick, 64).get(id("a")).ids(), run(whole, 64).get(id("a")).ids());
  }

  @Test
  void shouldGoOnWithTheSameTokensWhereverItMoves() {
    with.temperature = 1;
    with.maxTokens = 100;
    final GenerationRequest request = request("a", new Constraint.Regex(DATES));
    final List<Integer> expected = run(request, 64).get(id("a")).ids();
    for (int taken = 1; taken < expected.size(); taken += 3) {
      final int[] tokens = Arrays.copyOf(PROMPT, PROMPT.length + taken);
      for (int i = 0; i < taken; i++) tokens[PROMPT.length + i] = expected.get(i);
      final GenerationRequest moved =
          new GenerationRequest(id("a"), tokens, PROMPT.length, request.sampling(), "");
      assertEquals(expected.subList(taken, expected.size()), run(moved, 64).get(id("a")).ids());
    }
  }

  @Test
  void shouldAnswerAsAloneWhenPreemptedBesideOthers() {
    with.temperature = 1;
    with.maxTokens = 60;
    final List<GenerationRequest> requests = new ArrayList<>();
    final Map<RequestId, List<Integer>> expected = new HashMap<>();
    for (int i = 0; i < 5; i++) {
      with.seed = i;
      final Constraint constraint =
          i % 2 == 0 ? new Constraint.Regex(DATES) : Constraint.JSON_OBJECT;
      requests.add(request("r" + i, constraint));
      final GenerationRequest request = requests.get(i);
      expected.put(request.id(), run(request, 64).get(request.id()).ids());
    }
    final Map<RequestId, Answer> together = run(requests, 24);
    expected.forEach((id, tokens) -> assertEquals(tokens, together.get(id).ids()));
    assertTrue(preemptions > 0, "they cannot all fit");
  }

  @Test
  void shouldEndByLengthWhenTheLimitCutsTheAnswer() {
    with.maxTokens = 3;
    final Answer answer = run(request("a", new Constraint.Regex("[a-z]{50}")), 64).get(id("a"));
    assertEquals(FinishReason.LENGTH, answer.finish);
    assertEquals(3, answer.tokens.size());
  }

  @Test
  void shouldEndWhenNothingMayFollowThoughEndsAreIgnoredOrTooEarly() {
    with.maxTokens = 50;
    with.ignoreEnd = true;
    with.minTokens = 40;
    final Answer answer = run(request("a", new Constraint.Text("yes")), 64).get(id("a"));
    assertEquals(FinishReason.STOP, answer.finish);
    assertEquals("yes", answer.text());
  }

  @Test
  void shouldNotLetAStopTokenCutTheAnswer() {
    final int letter = model.tokenizer().tokenId("e").orElseThrow();
    with.stopTokenIds = Set.of(letter);
    with.maxTokens = 50;
    final Answer answer = run(request("a", new Constraint.Text("yes")), 64).get(id("a"));
    assertEquals("yes", answer.text(), "its letters come in another token");
  }

  @Test
  void shouldFailAnAnswerThatBreaksItsConstraint() {
    final int[] tokens = Arrays.copyOf(PROMPT, PROMPT.length + 1);
    tokens[PROMPT.length] = model.tokenizer().tokenId("x").orElseThrow();
    final GenerationRequest moved =
        new GenerationRequest(
            id("a"), tokens, PROMPT.length, request("a", Constraint.JSON_OBJECT).sampling(), "");
    assertTrue(failure(moved).contains("position 5 breaks the constraint"));
  }

  @Test
  void shouldFailAConstraintThatCannotBeKept() {
    assertTrue(failure(request("a", new Constraint.Regex("("))).contains("cannot be kept"));
  }

  @Test
  void shouldRefuseConstraintsWithoutACompiler() {
    try (SimulatedDevice device = device(64)) {
      final LocalEngine engine = new LocalEngine(device, SETTINGS, Set.of());
      final Admission.Refused refused =
          assertInstanceOf(
              Admission.Refused.class, engine.submit(request("a", Constraint.JSON_OBJECT)));
      assertEquals("engine.constraints", refused.limit());
      assertFalse(refused.passing());
    }
  }

  private static final class Answer {
    final List<SampledToken> tokens = new ArrayList<>();
    FinishReason finish;

    List<Integer> ids() {
      return tokens.stream().map(SampledToken::tokenId).toList();
    }

    String text() {
      final int[] ids = tokens.stream().mapToInt(SampledToken::tokenId).toArray();
      return model.tokenizer().decode(ids, true);
    }
  }

  private int preemptions;

  private static RequestId id(String name) {
    return new RequestId(name);
  }

  private GenerationRequest request(String name, Constraint constraint) {
    with.constraint = constraint.toText();
    return with.request(name, PROMPT);
  }

  private static SimulatedDevice device(int blockCount) {
    return new SimulatedDevice(blockCount, 4, model.tokenizer().vocabularySize(), 240);
  }

  private static LocalEngine engine(SimulatedDevice device) {
    final GrammarSettings settings = GrammarSettings.from(ConfigFactory.load());
    return new LocalEngine(
        device,
        SETTINGS,
        model.defaults().endTokenIds(),
        new ConstraintCompiler(() -> trie, settings, Runnable::run));
  }

  private Map<RequestId, Answer> run(GenerationRequest request, int blockCount) {
    return run(List.of(request), blockCount);
  }

  private Map<RequestId, Answer> run(List<GenerationRequest> requests, int blockCount) {
    final Map<RequestId, Answer> answers = new HashMap<>();
    preemptions = 0;
    try (SimulatedDevice device = device(blockCount)) {
      final LocalEngine engine = engine(device);
      for (GenerationRequest request : requests) {
        answers.put(request.id(), new Answer());
        assertInstanceOf(Admission.Admitted.class, engine.submit(request));
      }
      while (engine.hasWork()) {
        final StepReport report = engine.step();
        assertEquals(List.of(), report.failures());
        preemptions += report.preemptedCount();
        for (StepReport.Progress progress : report.progress()) {
          final Answer answer = answers.get(progress.id());
          answer.tokens.addAll(progress.tokens());
          if (progress.finish() != null) answer.finish = progress.finish();
        }
      }
    }
    return answers;
  }

  private String failure(GenerationRequest request) {
    try (SimulatedDevice device = device(64)) {
      final LocalEngine engine = engine(device);
      engine.submit(request);
      while (engine.hasWork()) {
        final List<StepReport.Failure> failures = engine.step().failures();
        if (!failures.isEmpty()) return failures.getFirst().reason();
      }
      throw new AssertionError("it has not failed");
    }
  }
}
