package dev.stator.cli.engine;

import dev.stator.cli.UsageException;
import dev.stator.device.cpu.CpuDeviceSettings.Kernels;
import dev.stator.kv.KvLayout.KvType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * What is measured.
 *
 * @param threads counts, each measured by itself
 * @param prefill tokens of the prompt; 0 for none
 * @param decode tokens that a sequence is continued by
 * @param batches how many sequences decode side by side; a 0 counts for nothing
 * @param contexts tokens before a sequence that decodes alone; a 0 counts for nothing
 * @param rounds in each of which every kernel family and the peer have their turns
 * @param kernels values of {@code stator.device.cpu.kernels}
 * @param kvTypes values of {@code stator.device.cpu.kv-type}, each with each of {@code kernels}
 * @param against llama.cpp's {@code llama-bench}
 */
public record EngineBenchSettings(
    List<Integer> threads,
    int prefill,
    int decode,
    List<Integer> batches,
    List<Integer> contexts,
    int rounds,
    List<String> kernels,
    List<String> kvTypes,
    Optional<Path> against) {
  private static final int THREADS_MAX = 1024;
  private static final int TOKENS_MAX = 65_536;
  private static final int BATCH_MAX = 512;
  private static final int ROUNDS_MAX = 1000;

  public EngineBenchSettings {
    threads = List.copyOf(threads);
    batches = positive(batches, "--batches", BATCH_MAX);
    contexts = positive(contexts, "--contexts", TOKENS_MAX);
    kernels = List.copyOf(kernels);
    kvTypes = List.copyOf(kvTypes);
    require(!threads.isEmpty(), "--threads wants at least one number");
    for (int count : threads) requireWithin("--threads", count, 1, THREADS_MAX);
    requireWithin("--prefill", prefill, 0, TOKENS_MAX);
    requireWithin("--decode", decode, 1, TOKENS_MAX);
    requireWithin("--rounds", rounds, 1, ROUNDS_MAX);
    require(
        prefill > 0 || !batches.isEmpty() || !contexts.isEmpty(),
        "--prefill, --batches and --contexts are all 0: there is nothing to measure");
    require(
        !kernels.isEmpty() && kernels.stream().distinct().count() == kernels.size(),
        "--kernels wants one or more different names: " + kernels);
    for (String name : kernels) kernelsOf(name);
    require(
        !kvTypes.isEmpty() && kvTypes.stream().distinct().count() == kvTypes.size(),
        "--kv-types wants one or more different names: " + kvTypes);
    for (String name : kvTypes) kvTypeOf(name);
    against.ifPresent(path ->
        require(
            Files.isRegularFile(path) && Files.isExecutable(path),
            "--against wants llama.cpp's llama-bench, and no program is at " + path));
  }

  /** In the order in which they are measured. */
  List<EngineCase> cases() {
    final List<EngineCase> cases = new ArrayList<>();
    if (prefill > 0) cases.add(new EngineCase.Prefill(prefill));
    for (int sequences : batches) cases.add(new EngineCase.Decode(sequences, decode));
    for (int context : contexts) cases.add(new EngineCase.DecodeAt(context, decode));
    return cases;
  }

  /** Tokens of the longest sequence. */
  int longest() {
    final int context = contexts.stream().mapToInt(i -> i).max().orElse(0);
    return Math.max(prefill, Math.max(context, EngineCase.Decode.CONTEXT) + decode);
  }

  static Kernels kernelsOf(String name) {
    return Arrays.stream(Kernels.values())
        .filter(kernels -> kernels.name().toLowerCase(Locale.ROOT).equals(name))
        .findFirst()
        .orElseThrow(() ->
            new UsageException(
                "--kernels must be of auto, native, java, vector, scalar: '" + name + "'"));
  }

  static KvType kvTypeOf(String name) {
    return KvType.titled(name)
        .orElseThrow(
            () -> new UsageException("--kv-types must be of f32, bf16, int8: '" + name + "'"));
  }

  /**
   * What a kernel family is called in reports, with its KV type where that is not the usual one.
   */
  static String title(String kernels, String kvType) {
    return kvTypeOf(kvType) == KvType.F32 ? kernels : kernels + "+" + kvType;
  }

  private static List<Integer> positive(List<Integer> values, String option, int max) {
    for (int value : values) requireWithin(option, value, 0, max);
    return values.stream()
        .flatMapToInt(IntStream::of)
        .filter(i -> i > 0)
        .distinct()
        .boxed()
        .toList();
  }

  private static void requireWithin(String option, int value, int min, int max) {
    require(
        value >= min && value <= max,
        option + " must be between " + min + " and " + max + ": " + value);
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) throw new UsageException(otherwise);
  }
}
