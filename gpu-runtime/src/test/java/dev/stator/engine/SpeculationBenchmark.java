package dev.stator.engine;

import com.typesafe.config.ConfigFactory;
import dev.stator.device.Device;
import dev.stator.device.StepInput;
import dev.stator.device.StepOutput;
import dev.stator.device.cpu.CpuDevice;
import dev.stator.device.cpu.CpuDeviceSettings;
import dev.stator.model.LoadedModel;
import dev.stator.model.file.GgufFile;
import dev.stator.model.file.ModelFiles;
import dev.stator.model.text.Tokenizer;
import dev.stator.model.text.Tokenizers;
import dev.stator.testing.ForwardingDevice;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * Decoding with drafts beside decoding without, in turns; medians of their ratio. The model
 * computes every step, but the text that it chooses is given, so that it repeats as much as it
 * shall.
 *
 * <pre>
 *   java ... dev.stator.engine.SpeculationBenchmark MODEL \
 *     [sequences=1] [tokens=128] [rounds=5] [threads=2] [VOCABULARY TEXT...]
 * </pre>
 *
 * <p>VOCABULARY is a GGUF file whose tokens stand for the model's; half of a TEXT is a prompt, the
 * other its answer.
 */
public final class SpeculationBenchmark {
  private static final PrintStream OUT = System.out;
  private static final int PROMPT_LENGTH = 256;
  private static final int FEW_TOKENS = 16;

  private final CpuDevice device;
  private final int sequences;
  private final int tokens;
  private final Requests with = new Requests();

  private SpeculationBenchmark(CpuDevice device, int sequences, int tokens) {
    this.device = device;
    this.sequences = sequences;
    this.tokens = tokens;
    with.maxTokens = tokens;
    with.ignoreEnd = true;
  }

  public static void main(String[] args) throws IOException {
    final int sequences = args.length > 1 ? Integer.parseInt(args[1]) : 1;
    final int tokens = args.length > 2 ? Integer.parseInt(args[2]) : 128;
    final int rounds = args.length > 3 ? Integer.parseInt(args[3]) : 5;
    final int threads = args.length > 4 ? Integer.parseInt(args[4]) : 2;
    final int length = PROMPT_LENGTH + tokens;
    try (LoadedModel model = ModelFiles.open(Path.of(args[0]));
        CpuDevice device =
            CpuDevice.create(
                model,
                new CpuDeviceSettings(
                    threads,
                    0,
                    sequences * (length / 16 + 2),
                    512,
                    length,
                    CpuDeviceSettings.Kernels.AUTO))) {
      OUT.println(device.description());
      final Map<String, int[]> texts = texts(new Random(1), device.vocabularySize(), tokens);
      for (int i = 6; i < args.length; i++) {
        final Tokenizer tokenizer =
            Tokenizers.fromGguf(GgufFile.open(Path.of(args[5]), Arena.ofAuto()).metadata());
        final Path file = Path.of(args[i]);
        final int[] all = tokenizer.encode(Files.readString(file), Tokenizer.SpecialText.PLAIN);
        final int middle = Math.max(0, all.length / 2 - PROMPT_LENGTH);
        texts.put(file.getFileName().toString(), Arrays.copyOfRange(all, middle, middle + length));
      }
      final var benchmark = new SpeculationBenchmark(device, sequences, tokens);
      texts.forEach((name, text) -> benchmark.run(name, text, rounds));
    }
  }

  /** Prompt and answer. */
  private static Map<String, int[]> texts(Random random, int vocabularySize, int tokens) {
    final int length = PROMPT_LENGTH + tokens;
    final Map<String, int[]> texts = new LinkedHashMap<>();
    texts.put("new", random.ints(length, 0, vocabularySize).toArray());
    texts.put("of " + FEW_TOKENS + " tokens", random.ints(length, 0, FEW_TOKENS).toArray());
    for (int changed : new int[] {4, 16}) {
      final int[] copied = random.ints(length, 0, vocabularySize).toArray();
      for (int i = PROMPT_LENGTH; i < length; i++) {
        if (random.nextInt(changed) > 0) copied[i] = copied[i - PROMPT_LENGTH];
      }
      texts.put("copied, 1 of " + changed + " changed", copied);
    }
    return texts;
  }

  private void run(String name, int[] text, int rounds) {
    final SpeculationSettings on = SpeculationSettings.from(ConfigFactory.load());
    rate(text, SpeculationSettings.OFF);
    rate(text, on);
    final double[] without = new double[rounds];
    final double[] ratios = new double[rounds];
    EngineLoad load = null;
    for (int i = 0; i < rounds; i++) {
      final Run off = rate(text, SpeculationSettings.OFF);
      final Run drafting = rate(text, on);
      without[i] = off.rate;
      ratios[i] = drafting.rate / off.rate;
      load = drafting.load;
    }
    Arrays.sort(without);
    Arrays.sort(ratios);
    OUT.printf(
        Locale.ROOT,
        "%-28s %7.2f tokens/s without, with %.3fx (%.3f..%.3f), %d drafted, %d accepted%n",
        name,
        without[rounds / 2],
        ratios[rounds / 2],
        ratios[0],
        ratios[rounds - 1],
        load.draftedTokens(),
        load.acceptedTokens());
  }

  private record Run(double rate, EngineLoad load) {}

  /** Answer tokens a second of the steps that decode. */
  private Run rate(int[] text, SpeculationSettings speculation) {
    final var settings =
        new EngineSettings(512, 512, sequences, sequences, 64, 1 << 20, 4096, 0, speculation);
    final LocalEngine engine = new LocalEngine(new Reader(device, text), settings, Set.of());
    for (int i = 0; i < sequences; i++) {
      engine.submit(with.request("r" + i, Arrays.copyOf(text, PROMPT_LENGTH)));
    }
    long count = 0;
    long nanos = 0;
    while (engine.hasWork()) {
      final boolean computesPrompts = engine.load().waitingTokens() > 0;
      final long start = System.nanoTime();
      final StepReport report = engine.step();
      if (computesPrompts) continue;
      nanos += System.nanoTime() - start;
      for (StepReport.Progress progress : report.progress()) count += progress.tokens().size();
    }
    if (count < (long) sequences * (tokens - sequences)) throw new IllegalStateException("short");
    return new Run(count * 1e9 / nanos, engine.load());
  }

  /** Computes as the device does, and chooses the given text. */
  private static final class Reader extends ForwardingDevice {
    private final int[] text;

    Reader(Device device, int[] text) {
      super(device);
      this.text = text;
    }

    @Override
    public StepOutput run(StepInput input) {
      final StepOutput output = super.run(input);
      return (sliceIndex, row) -> {
        final StepInput.Slice slice = input.slices().get(sliceIndex);
        final int end = slice.start() + slice.tokenCount();
        final float[] logits = output.logits(sliceIndex, row);
        logits[text[end - slice.logitsCount() + row + 1]] = Float.MAX_VALUE;
        return logits;
      };
    }

    @Override
    public void close() {} // Its device is used again.
  }
}
