package dev.stator.model.text;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Encodes and stream-decodes texts of 100,000 characters: megabytes a second are operations a
 * second divided by ten. Run it from the test class path with {@code org.openjdk.jmh.Main
 * TokenizerBenchmark}.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class TokenizerBenchmark {
  private static final int LENGTH = 100_000;
  private static final String PROSE =
      "The router sends each request where most of its prompt is cached, and where the load is low."
          + " It isn't magic: 128 blocks of 16 tokens, counted once.\n";

  /** Words that repeat; words that do not; one word. */
  @Param({"prose", "random", "unbroken"})
  public String text;

  @Param({"tiny", "llama-bpe", "llama-spm"})
  public String vocabulary;

  private Tokenizer tokenizer;
  private String input;
  private int[] ids;

  @Setup
  public void prepare() {
    tokenizer =
        Tokenizers.fromGguf(
            vocabulary.equals("tiny") ? Vocabularies.tiny() : Vocabularies.real(vocabulary));
    input =
        switch (text) {
          case "prose" -> PROSE.repeat(LENGTH / PROSE.length());
          case "random" -> random();
          default -> "unbroken".repeat(LENGTH / 8);
        };
    ids = tokenizer.encode(input, Tokenizer.SpecialText.PARSED);
  }

  @Benchmark
  public int[] encode() {
    return tokenizer.encode(input, Tokenizer.SpecialText.PARSED);
  }

  @Benchmark
  public int streamDecode() {
    final IncrementalDecoder decoder = tokenizer.incrementalDecoder(true);
    int length = 0;
    for (int id : ids) length += decoder.add(id).length();
    return length + decoder.finish().length();
  }

  private static String random() {
    final RandomText texts = new RandomText(new Random(3), false);
    final StringBuilder random = new StringBuilder();
    while (random.length() < LENGTH) random.append(texts.next(50));
    return random.toString();
  }
}
