package dev.stator.cli.engine;

import dev.stator.cli.Quantities;
import dev.stator.device.StepInput;
import dev.stator.device.cpu.CpuDevice;
import dev.stator.device.cpu.CpuDeviceSettings;
import dev.stator.model.LoadedModel;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/** A kernel family of the CPU device: steps as an engine would make them, with made-up tokens. */
final class CpuContender implements Contender {
  private static final int STEP_TOKENS_MIN = 512;
  private static final int WARM_UP_TOKENS = 8;

  private final String name;
  private final CpuDevice device;
  private final double loadSeconds;
  private final int stepTokensMax;

  // Three regions of KV blocks: the prompt's, the long sequence's, those of the batch.
  private final Sequence prompt;
  private final Sequence longest;
  private final List<Sequence> batch;
  private int longestFilled;
  private int batchFilled;

  /** A sequence's tokens and its own blocks, enough for all of them. */
  private record Sequence(int[] tokens, int[] blocks) {
    static Sequence of(int number, int length, int firstBlock, int vocabularySize) {
      final int[] tokens = new int[length];
      for (int i = 0; i < length; i++)
        tokens[i] = (10 + (i * 7 + number * 13) % 200) % vocabularySize;
      return new Sequence(
          tokens, IntStream.range(firstBlock, firstBlock + blocksOf(length)).toArray());
    }

    StepInput.Slice slice(int start, int count) {
      return new StepInput.Slice(tokens, start, count, blocks, 1);
    }
  }

  CpuContender(
      LoadedModel model, String kernels, String kvType, int threads, EngineBenchSettings settings) {
    name = EngineBenchSettings.title(kernels, kvType);
    final int vocabularySize = model.config().vocabularySize();
    final int sequences = settings.batches().stream().mapToInt(i -> i).max().orElse(0);
    final int batchLength = EngineCase.Decode.CONTEXT + settings.decode();
    final int longestLength =
        settings.contexts().stream().mapToInt(i -> i + settings.decode()).max().orElse(0);
    prompt = Sequence.of(0, settings.prefill(), 0, vocabularySize);
    longest = Sequence.of(1, longestLength, prompt.blocks.length, vocabularySize);
    final int firstOfBatch = prompt.blocks.length + longest.blocks.length;
    batch =
        IntStream.range(0, sequences)
            .mapToObj(i ->
                Sequence.of(
                    i, batchLength, firstOfBatch + i * blocksOf(batchLength), vocabularySize))
            .toList();
    stepTokensMax = Math.max(STEP_TOKENS_MIN, settings.prefill());
    final long start = System.nanoTime();
    device =
        CpuDevice.create(
            model,
            new CpuDeviceSettings(
                threads,
                0,
                firstOfBatch + sequences * blocksOf(batchLength),
                stepTokensMax,
                settings.longest(),
                EngineBenchSettings.kernelsOf(kernels),
                EngineBenchSettings.kvTypeOf(kvType),
                CpuDeviceSettings.Pack.BEFORE_READY));
    loadSeconds = (System.nanoTime() - start) / 1e9;
  }

  private static int blocksOf(int length) {
    return Math.ceilDiv(length, CpuDevice.BLOCK_SIZE);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String description() {
    final long bytes = device.memoryPlan().totalBytes();
    return String.format(
        Locale.ROOT,
        "%s; loaded in %.1f s, %s",
        device.description(),
        loadSeconds,
        Quantities.bytes(bytes));
  }

  @Override
  public void warmUp(EngineCase what) {
    switch (what) {
      case EngineCase.Prefill(var tokens) -> run(prompt, 0, tokens);
      case EngineCase.Decode(var sequences, var tokens) -> {
        for (; batchFilled < sequences; batchFilled++) {
          run(batch.get(batchFilled), 0, EngineCase.Decode.CONTEXT);
        }
        decode(batch.subList(0, sequences), EngineCase.Decode.CONTEXT, warmUpTokens(tokens));
      }
      case EngineCase.DecodeAt(var context, var tokens) -> {
        // What a shorter context decoded here is the same again: the tokens are.
        if (context > longestFilled) run(longest, longestFilled, context);
        longestFilled = Math.max(longestFilled, context);
        decode(List.of(longest), context, warmUpTokens(tokens));
      }
    }
  }

  private static int warmUpTokens(int tokens) {
    return Math.min(tokens, WARM_UP_TOKENS);
  }

  /** A case's {@link #warmUp} has filled its context. */
  @Override
  public OptionalDouble tokensPerSecond(EngineCase what) {
    final long start = System.nanoTime();
    final int tokens = run(what);
    return OptionalDouble.of(tokens * 1e9 / (System.nanoTime() - start));
  }

  private int run(EngineCase what) {
    switch (what) {
      case EngineCase.Prefill(var tokens) -> {
        run(prompt, 0, tokens);
        return tokens;
      }
      case EngineCase.Decode(var sequences, var tokens) -> {
        decode(batch.subList(0, sequences), EngineCase.Decode.CONTEXT, tokens);
        return sequences * tokens;
      }
      case EngineCase.DecodeAt(var context, var tokens) -> {
        decode(List.of(longest), context, tokens);
        return tokens;
      }
    }
  }

  private void run(Sequence sequence, int from, int to) {
    for (int start = from; start < to; start += stepTokensMax) {
      final int count = Math.min(stepTokensMax, to - start);
      device.run(new StepInput(List.of(sequence.slice(start, count))));
    }
  }

  private void decode(List<Sequence> sequences, int from, int tokens) {
    final StepInput.Slice[] slices = new StepInput.Slice[sequences.size()];
    for (int position = from; position < from + tokens; position++) {
      for (int i = 0; i < slices.length; i++) slices[i] = sequences.get(i).slice(position, 1);
      device.run(new StepInput(Arrays.asList(slices)));
    }
  }

  @Override
  public void close() {
    device.close();
  }
}
