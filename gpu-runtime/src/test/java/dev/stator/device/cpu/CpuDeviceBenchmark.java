package dev.stator.device.cpu;

import dev.stator.device.StepInput;
import dev.stator.model.LoadedModel;
import dev.stator.model.file.ModelFiles;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Tokens a second of prefill and of batched decoding, best of a few repetitions.
 *
 * <pre>
 *   java ... dev.stator.device.cpu.CpuDeviceBenchmark MODEL
 *       [threads=1] [prefill=512] [decode=32] [repetitions=3] [batches=1,8,32]
 * </pre>
 *
 * <p>"cpu" counts processor seconds of the whole process instead of the clock's, which other load
 * on the machine disturbs less; with more than one thread it is the rate of one.
 */
public final class CpuDeviceBenchmark {
  private static final PrintStream OUT = System.out;
  private static final int CONTEXT_BEFORE_DECODE = 32;

  private final CpuDevice device;
  private final int repetitions;

  private CpuDeviceBenchmark(CpuDevice device, int repetitions) {
    this.device = device;
    this.repetitions = repetitions;
  }

  public static void main(String[] args) {
    final int threads = argument(args, 1, 1);
    final int prefill = argument(args, 2, 512);
    final int decode = argument(args, 3, 32);
    final int repetitions = argument(args, 4, 3);
    final String[] batches = args.length > 5 ? args[5].split(",") : new String[] {"1", "8", "32"};
    long start = System.nanoTime();
    try (LoadedModel model = ModelFiles.open(Path.of(args[0]))) {
      OUT.printf(Locale.ROOT, "opened in %.2f s%n", (System.nanoTime() - start) / 1e9);
      start = System.nanoTime();
      final int blocks = (prefill + 16) / 16 + 32 * ((CONTEXT_BEFORE_DECODE + decode) / 16 + 1);
      final var settings =
          new CpuDeviceSettings(
              threads,
              0,
              blocks,
              Math.max(prefill, 64),
              0,
              CpuDeviceSettings.Kernels.valueOf(System.getProperty("kernels", "VECTOR")));
      try (CpuDevice device = CpuDevice.create(model, settings)) {
        OUT.printf(
            Locale.ROOT,
            "%s, packed in %.2f s%n",
            device.description(),
            (System.nanoTime() - start) / 1e9);
        device
            .memoryPlan()
            .terms()
            .forEach(t -> OUT.printf(Locale.ROOT, "  %6d MiB %s%n", t.bytes() >> 20, t.what()));
        final var benchmark = new CpuDeviceBenchmark(device, repetitions);
        if (prefill > 0) benchmark.prefill(prefill);
        for (String batch : batches) benchmark.decode(Integer.parseInt(batch), decode);
      }
    }
  }

  private static int argument(String[] args, int index, int otherwise) {
    return args.length > index ? Integer.parseInt(args[index]) : otherwise;
  }

  private void prefill(int count) {
    final int[] tokens = tokens(count, 1);
    final int[] blocks = Sequences.blocks(0, count);
    measure("prefill " + count, count, () -> Sequences.prefill(device, tokens, blocks, count));
  }

  private void decode(int batch, int count) {
    final int length = CONTEXT_BEFORE_DECODE + count;
    final List<int[]> tokens = new ArrayList<>();
    final List<int[]> blocks = new ArrayList<>();
    for (int i = 0; i < batch; i++) {
      tokens.add(tokens(length, i));
      blocks.add(Sequences.blocks(i * ((length + 15) / 16), length));
      device.run(
          new StepInput(
              List.of(
                  new StepInput.Slice(
                      tokens.get(i), 0, CONTEXT_BEFORE_DECODE, blocks.get(i), false))));
    }
    measure(
        "decode, batch " + batch,
        batch * count,
        () -> {
          for (int step = CONTEXT_BEFORE_DECODE; step < length; step++) {
            final List<StepInput.Slice> slices = new ArrayList<>();
            for (int i = 0; i < batch; i++) {
              slices.add(new StepInput.Slice(tokens.get(i), step, 1, blocks.get(i), true));
            }
            device.run(new StepInput(slices));
          }
        });
  }

  private void measure(String what, int tokens, Runnable work) {
    double best = 0;
    double bestCpu = 0;
    for (int i = 0; i < repetitions; i++) {
      final long cpuStart = cpuNs();
      final long start = System.nanoTime();
      work.run();
      best = Math.max(best, tokens * 1e9 / (System.nanoTime() - start));
      bestCpu = Math.max(bestCpu, tokens * 1e9 / (cpuNs() - cpuStart));
    }
    OUT.printf(Locale.ROOT, "%-18s %9.1f tokens/s wall %9.1f cpu%n", what, best, bestCpu);
  }

  private static long cpuNs() {
    long sum = 0;
    final var threads = ManagementFactory.getThreadMXBean();
    for (long id : threads.getAllThreadIds()) {
      final var info = threads.getThreadInfo(id);
      final boolean computes =
          id == Thread.currentThread().threadId()
              || info != null && info.getThreadName().startsWith("stator-cpu");
      if (computes) sum += Math.max(0, threads.getThreadCpuTime(id));
    }
    return sum;
  }

  private int[] tokens(int count, int seed) {
    final int[] tokens = new int[count];
    for (int i = 0; i < count; i++) tokens[i] = 10 + (i * 7 + seed * 13) % 200;
    return tokens;
  }
}
