package dev.stator.engine;

import dev.stator.device.Device;
import dev.stator.device.MemoryPlan;
import dev.stator.device.StepInput;
import dev.stator.device.StepOutput;
import dev.stator.kv.BlockHash;
import dev.stator.kv.BlockHasher;
import dev.stator.kv.KvLayout;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What the engine costs beside the device: a step of 256 sequences, a block's hash, a choice. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
public class EngineBenchmark {
  private static final int SEQUENCES = 256;
  private static final int PROMPT_LENGTH = 128;
  private static final int BLOCK_SIZE = 16;
  private static final int VOCABULARY = 150_000;
  private static final EngineSettings SETTINGS =
      new EngineSettings(2048, 512, SEQUENCES, SEQUENCES, 64, 1 << 20, 1 << 16, 1);

  private final Random random = new Random(1);
  private final Requests with = new Requests();
  private final float[] manyLogits = new float[VOCABULARY];
  private final float[] logits = new float[VOCABULARY];
  private final Sampler sampler = new Sampler(VOCABULARY);
  private final BlockHasher hasher = new BlockHasher("benchmark", BLOCK_SIZE);
  private final int[] tokens = random.ints(BLOCK_SIZE, 0, VOCABULARY).toArray();
  private LocalEngine engine;
  private Sequence plain;
  private Sequence nucleus;
  private BlockHash hash;
  private int submitted;

  /** Fills the engine. */
  @Setup
  public void setUp() {
    with.maxTokens = 512;
    engine = new LocalEngine(new NoDevice(), SETTINGS, Set.of());
    for (int i = 0; i < SEQUENCES; i++) submit();
    for (int i = 0; i < VOCABULARY; i++) manyLogits[i] = (float) random.nextGaussian() * 3;
    with.temperature = 1;
    plain = sequence();
    with.topP = 0.9f;
    nucleus = sequence();
    with.temperature = 0;
    with.topP = 1;
    hash = hasher.root("");
  }

  /** Schedule, hand over, sample (greedily, of two tokens) and commit; what ends is replaced. */
  @Benchmark
  public StepReport step() {
    final StepReport report = engine.step();
    for (StepReport.Progress progress : report.progress()) {
      if (progress.finish() != null) submit();
    }
    return report;
  }

  @Benchmark
  public BlockHash blockHash() {
    hash = hasher.hash(hash, tokens, 0);
    return hash;
  }

  @Benchmark
  public Object samplePlain() {
    return sample(plain);
  }

  @Benchmark
  public Object sampleTopP() {
    return sample(nucleus);
  }

  private Object sample(Sequence sequence) {
    System.arraycopy(manyLogits, 0, logits, 0, VOCABULARY);
    return sampler.sample(sequence, logits);
  }

  private Sequence sequence() {
    final LogitRules rules = LogitRules.of(with.params(), Set.of());
    return new Sequence(
        with.request("sampled", 1), Sequence.Kind.ANSWER, 0, 99, rules, null, hasher);
  }

  private void submit() {
    final int[] prompt = random.ints(PROMPT_LENGTH, 0, 2).toArray();
    engine.submit(with.request("request-" + submitted++, prompt));
  }

  /** Computes nothing: every choice is token 0. */
  private static final class NoDevice implements Device {
    private final float[] logits = {1, 0};

    @Override
    public StepOutput run(StepInput input) {
      return sliceIndex -> logits;
    }

    @Override
    public String description() {
      return "none";
    }

    @Override
    public String numericsFingerprint() {
      return "none";
    }

    @Override
    public KvLayout kvLayout() {
      return new KvLayout(1, 1, 1, KvLayout.KvType.F32, BLOCK_SIZE);
    }

    @Override
    public int blockCount() {
      return 16_384;
    }

    @Override
    public int vocabularySize() {
      return logits.length;
    }

    @Override
    public int contextLength() {
      return 4096;
    }

    @Override
    public MemorySegment block(int blockIndex) {
      throw new UnsupportedOperationException("there is no memory");
    }

    @Override
    public MemoryPlan memoryPlan() {
      return new MemoryPlan(List.of());
    }

    @Override
    public void close() {}
  }
}
