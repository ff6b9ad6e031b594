package dev.stator.model.file;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.management.ThreadMXBean;
import dev.stator.model.ModelFormatException;
import dev.stator.model.ModelWeights;
import dev.stator.model.WeightScan;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Broken files, thousands of them from one seed: each is either read or refused with one sentence,
 * soon, and without allocating much.
 */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ModelFileFuzzTest {
  private static final long SEED = 20_26;
  private static final ModelFileLimits LIMITS = ModelFileLimits.load();
  private static final JsonFiles JSON = new JsonFiles(LIMITS);
  private static final Pattern SENTENCE = Pattern.compile("[^\\p{Cntrl}\\u2028\\u2029]{10,600}");
  private static final long CASE_TIME_MAX_NS = TimeUnit.SECONDS.toNanos(5);

  /** A file of some 60 KB is read with less than 1 MB. */
  private static final long CASE_ALLOCATED_BYTES_MAX = 8 << 20;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private int readCount;
  private int refusedCount;

  @ParameterizedTest
  @ValueSource(strings = {"llama", "qwen2", "qwen3"})
  void shouldReadOrRefuseAnyGguf(String architecture) {
    final byte[] original = TinyModels.gguf(architecture).bytes();
    final int headerLength = original.length - dataLength(original);
    final SplittableRandom random = new SplittableRandom(SEED);
    for (int i = 0; i < 2000; i++) {
      final int end = i % 10 == 0 ? original.length : headerLength;
      check(Mutations.mutate(original, end, random), ModelFileFuzzTest::readGguf);
    }
    requireBothOutcomes();
  }

  @ParameterizedTest
  @ValueSource(strings = {"gguf-mixtral", "gguf-gemma3", "gguf-phi3-long"})
  void shouldReadOrRefuseAnyGgufOfOtherFamilies(String name) {
    final RecordedModel recorded = RecordedModel.read(name);
    final byte[] original = recorded.ggufBytes();
    final int headerLength = recorded.ggufHeaderLength();
    final SplittableRandom random = new SplittableRandom(SEED + 3);
    for (int i = 0; i < 500; i++) {
      final byte[] mutated = Mutations.mutate(original, headerLength, random);
      check(mutated, ModelFileFuzzTest::readGguf);
    }
    requireBothOutcomes();
  }

  @ParameterizedTest
  @ValueSource(strings = {"mixtral", "qwen2moe", "gemma3", "phi3-long", "qwen3-yarn"})
  void shouldReadOrRefuseAnyConfigurationOfOtherFamilies(String name) {
    final RecordedModel recorded = RecordedModel.read(name);
    final SafetensorsFile weights = recorded.safetensors();
    final byte[] original = recorded.config().toString().getBytes(StandardCharsets.UTF_8);
    final SplittableRandom random = new SplittableRandom(SEED + 4);
    for (int i = 0; i < 500; i++) {
      check(
          Mutations.mutate(original, original.length, random),
          bytes -> assemble(JSON.parseObject(bytes), weights));
    }
    requireBothOutcomes();
  }

  @Test
  void shouldRefuseAGgufThatIsCutAnywhereInItsHeader() {
    final byte[] original = TinyModels.gguf("llama").bytes();
    final int headerLength = original.length - dataLength(original);
    for (int length = 0; length < headerLength; length += 3) {
      check(Arrays.copyOf(original, length), ModelFileFuzzTest::readGguf);
    }
    assertTrue(readCount == 0, "a cut file was read");
  }

  @Test
  void shouldReadOrRefuseAnySafetensors() {
    final byte[] original = TinyModels.safetensors("qwen2").bytes();
    final int headerLength =
        Long.BYTES + new String(original, StandardCharsets.ISO_8859_1).lastIndexOf('}');
    final JsonNode config = TinyModels.config("qwen2");
    final SplittableRandom random = new SplittableRandom(SEED);
    for (int i = 0; i < 2000; i++) {
      final int end = i % 3 == 0 ? Long.BYTES : headerLength;
      check(Mutations.mutate(original, end, random), bytes -> readSafetensors(bytes, config));
    }
    requireBothOutcomes();
  }

  @Test
  void shouldReadOrRefuseAnyConfiguration() {
    final SafetensorsFile weights =
        SafetensorsFile.read(
            MemorySegment.ofArray(TinyModels.safetensors("llama").bytes()), JSON, LIMITS);
    final byte[] original = TinyModels.config("llama").toString().getBytes(StandardCharsets.UTF_8);
    final SplittableRandom random = new SplittableRandom(SEED);
    for (int i = 0; i < 2000; i++) {
      check(
          Mutations.mutate(original, original.length, random),
          bytes -> assemble(JSON.parseObject(bytes), weights));
    }
    requireBothOutcomes();
  }

  @Test
  void shouldOpenOrRefuseAnyGgufByItsPath(@TempDir Path folder) throws IOException {
    final byte[] original = TinyModels.gguf("llama").bytes();
    final int headerLength = original.length - dataLength(original);
    final SplittableRandom random = new SplittableRandom(SEED + 1);
    final Path file = folder.resolve("broken.gguf");
    for (int i = 0; i < 500; i++) {
      Files.write(file, Mutations.mutate(original, headerLength, random));
      check(null, ignored -> open(file));
    }
    requireBothOutcomes();
  }

  @Test
  void shouldOpenOrRefuseAnyFolder(@TempDir Path folder) throws IOException {
    final SplittableRandom random = new SplittableRandom(SEED + 2);
    TinyModels.writeHuggingFace(folder, "llama");
    final List<String> names =
        List.of("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json");
    for (int i = 0; i < 500; i++) {
      final Path file = folder.resolve(names.get(i % names.size()));
      final byte[] original = Files.readAllBytes(file);
      Files.write(file, Mutations.mutate(original, original.length, random));
      check(null, ignored -> open(folder));
      Files.write(file, original);
    }
    requireBothOutcomes();
  }

  private static void open(Path path) {
    try {
      ModelFiles.open(path).close();
    } catch (ModelFormatException e) {
      final String start = path.getFileName() + ": ";
      assertTrue(
          e.getMessage().startsWith(start), () -> "it does not name the file: " + e.getMessage());
      throw e;
    }
  }

  /** Runs one case and holds it to its bounds. */
  private void check(byte[] bytes, Consumer<byte[]> reader) {
    final long allocatedBefore = THREADS.getCurrentThreadAllocatedBytes();
    final long startNs = System.nanoTime();
    try {
      reader.accept(bytes);
      readCount++;
    } catch (ModelFormatException e) {
      refusedCount++;
      assertTrue(
          SENTENCE.matcher(e.getMessage()).matches(), () -> "not one sentence: " + e.getMessage());
    }
    final long elapsedNs = System.nanoTime() - startNs;
    final long allocated = THREADS.getCurrentThreadAllocatedBytes() - allocatedBefore;
    assertTrue(elapsedNs < CASE_TIME_MAX_NS, () -> "a case took " + elapsedNs + " ns");
    assertTrue(
        allocated < CASE_ALLOCATED_BYTES_MAX, () -> "a case allocated " + allocated + " bytes");
  }

  private void requireBothOutcomes() {
    assertTrue(readCount > 0, "no mutation was harmless");
    assertTrue(refusedCount > 0, "no mutation was noticed");
  }

  private static void readGguf(byte[] bytes) {
    final GgufFile file = GgufFile.read(MemorySegment.ofArray(bytes), LIMITS);
    for (String key : file.metadata().keys()) readEveryWay(file.metadata(), key);
    final ModelWeights weights =
        WeightAssembler.assemble(file, TensorNames.GGUF, GgufShape.read(file).config());
    weights.matrices().forEach(WeightScan::requireFinite);
  }

  private static void readEveryWay(GgufMetadata metadata, String key) {
    final List<Runnable> ways =
        List.of(
            () -> metadata.string(key),
            () -> metadata.integer(key),
            () -> metadata.int32(key),
            () -> metadata.floating(key),
            () -> metadata.flag(key),
            () -> metadata.strings(key),
            () -> metadata.ints(key),
            () -> metadata.floats(key),
            () -> metadata.arrayLength(key));
    int refusals = 0;
    for (Runnable way : ways) {
      try {
        way.run();
      } catch (ModelFormatException e) {
        refusals++;
      }
    }
    assertTrue(refusals >= ways.size() - 3, () -> key + " is of several types at once");
  }

  private static void readSafetensors(byte[] bytes, JsonNode config) {
    assemble(config, SafetensorsFile.read(MemorySegment.ofArray(bytes), JSON, LIMITS));
  }

  private static void assemble(JsonNode config, TensorSource tensors) {
    final ModelShape shape = HuggingFaceShape.read(config, tensors);
    WeightAssembler.assemble(tensors, shape.names(), shape.config())
        .matrices()
        .forEach(WeightScan::requireFinite);
  }

  private static int dataLength(byte[] gguf) {
    final GgufFile file = GgufFile.read(MemorySegment.ofArray(gguf), LIMITS);
    return file.names().stream().mapToInt(name -> (int) file.matrix(name).data().byteSize()).sum();
  }
}
