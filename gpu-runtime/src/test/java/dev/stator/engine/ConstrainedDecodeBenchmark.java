package dev.stator.engine;

import com.typesafe.config.ConfigFactory;
import dev.stator.device.cpu.CpuDevice;
import dev.stator.device.cpu.CpuDeviceSettings;
import dev.stator.model.LoadedModel;
import dev.stator.model.file.GgufFile;
import dev.stator.model.file.ModelFiles;
import dev.stator.model.grammar.Constraint;
import dev.stator.model.grammar.ConstraintCompiler;
import dev.stator.model.grammar.GrammarSettings;
import dev.stator.model.grammar.TokenTrie;
import dev.stator.model.text.Tokenizer;
import dev.stator.model.text.Tokenizers;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ForkJoinPool;

/**
 * Decoding with a constraint beside decoding without one, in turns; medians of their ratio.
 *
 * <pre>
 *   java ... dev.stator.engine.ConstrainedDecodeBenchmark MODEL [VOCABULARY] [tokens=48] [rounds=7] [threads=2]
 * </pre>
 *
 * <p>VOCABULARY is a GGUF file whose tokens stand for the model's: with random weights the text is
 * noise, so that masks are asked for at states that no model would come to.
 */
public final class ConstrainedDecodeBenchmark {
  private static final PrintStream OUT = System.out;
  private static final EngineSettings SETTINGS =
      new EngineSettings(64, 64, 4, 4, 64, 4096, 4096, 0);
  private static final int[] PROMPT = {1, 2, 3, 4, 5, 6, 7, 8};

  private static final String RECORDS =
      """
      {"type":"array","items":{"type":"object","properties":{"id":{"type":"integer","minimum":0,
       "maximum":9999},"name":{"type":"string","maxLength":40},"kind":{"enum":["red","green","blue"]},
       "ok":{"type":"boolean"}},"required":["id","name","kind","ok"]}}\
      """;

  private final Requests with = new Requests();
  private final LocalEngine engine;
  private final int tokens;
  private long requests;

  private ConstrainedDecodeBenchmark(LocalEngine engine, int tokens) {
    this.engine = engine;
    this.tokens = tokens;
    with.temperature = 1;
    with.topP = 0.95f;
    with.maxTokens = tokens;
    with.ignoreEnd = true;
  }

  public static void main(String[] args) {
    final int tokens = args.length > 2 ? Integer.parseInt(args[2]) : 48;
    final int rounds = args.length > 3 ? Integer.parseInt(args[3]) : 7;
    final int threads = args.length > 4 ? Integer.parseInt(args[4]) : 2;
    try (LoadedModel model = ModelFiles.open(Path.of(args[0]))) {
      final Tokenizer tokenizer =
          args.length > 1
              ? Tokenizers.fromGguf(GgufFile.open(Path.of(args[1]), Arena.ofAuto()).metadata())
              : model.tokenizer();
      long start = System.nanoTime();
      final TokenTrie trie = TokenTrie.of(tokenizer);
      OUT.printf(
          Locale.ROOT,
          "%d tokens, tree made in %.0f ms%n",
          tokenizer.vocabularySize(),
          (System.nanoTime() - start) / 1e6);
      final var device =
          new CpuDeviceSettings(
              threads, 0, 2 + (tokens + 8) / 16, 64, 0, CpuDeviceSettings.Kernels.VECTOR);
      try (CpuDevice cpu = CpuDevice.create(model, device)) {
        final var compiler =
            new ConstraintCompiler(
                () -> trie, GrammarSettings.from(ConfigFactory.load()), ForkJoinPool.commonPool());
        new ConstrainedDecodeBenchmark(new LocalEngine(cpu, SETTINGS, Set.of(), compiler), tokens)
            .run(rounds);
      }
    }
  }

  private void run(int rounds) {
    final Map<String, Constraint> constraints = new LinkedHashMap<>();
    constraints.put("json_object", Constraint.JSON_OBJECT);
    constraints.put("json_schema", new Constraint.JsonSchema(RECORDS));
    constraints.put("guided_regex", new Constraint.Regex("([A-Z][a-z]{1,12} \\d{2,4}[.,] ?)+"));
    for (int i = 0; i < 3; i++) OUT.printf(Locale.ROOT, "warm-up %.2f tokens/s%n", rate("", i));
    constraints.forEach((name, constraint) -> {
      final double[] ratios = new double[rounds];
      final double[] free = new double[rounds];
      double first = 0;
      for (int i = 0; i < rounds; i++) {
        free[i] = rate("", i);
        final double constrained = rate(constraint.toText(), i);
        ratios[i] = constrained / free[i];
        if (i == 0) first = ratios[i];
      }
      Arrays.sort(ratios);
      Arrays.sort(free);
      OUT.printf(
          Locale.ROOT,
          "%-13s %6.2f tokens/s without, with %.3fx (%.3f..%.3f), the first answer of all %.3fx%n",
          name,
          free[rounds / 2],
          ratios[rounds / 2],
          ratios[0],
          ratios[rounds - 1],
          first);
    });
  }

  /** Tokens a second of the steps that decode; an answer that ends is followed by another one. */
  private double rate(String constraint, long seed) {
    with.constraint = constraint;
    int count = 0;
    long nanos = 0;
    for (int answer = 0; count < tokens; answer++) {
      with.seed = 1000 * seed + answer;
      engine.submit(with.request("r" + requests++, PROMPT));
      while (engine.hasWork()) {
        final long start = System.nanoTime();
        final StepReport report = engine.step();
        if (!report.failures().isEmpty()) {
          throw new IllegalStateException(report.failures().toString());
        }
        if (report.batchTokenCount() != 1) continue; // The prompt.
        nanos += System.nanoTime() - start;
        count++;
      }
    }
    return count * 1e9 / nanos;
  }
}
