package dev.stator.simulation;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * Requests in order of their arrival.
 *
 * @param name for tables
 * @param seconds until no more arrive
 */
public record Workload(String name, double seconds, List<Arrival> arrivals) {
  public Workload {
    arrivals = List.copyOf(arrivals);
  }

  /** One request. */
  public record Arrival(double atS, int promptTokens, int answerTokens) {}

  /**
   * A time of even load.
   *
   * @param perSecond requests, at exponential distances
   * @param promptMean mean tokens of a prompt; lengths are lognormal
   * @param answerMean mean tokens of an answer; likewise
   */
  public record Phase(double seconds, double perSecond, double promptMean, double answerMean) {}

  private static final double PROMPT_SIGMA = 0.5; // Of the logarithm: a variation of 0.53,
  private static final double ANSWER_SIGMA = 0.7; // and of 0.80.
  private static final int LENGTH_MAX = 32_768;

  /** The phases one after the other, over and over until {@code seconds} have passed. */
  public static Workload phases(String name, List<Phase> phases, double seconds, long seed) {
    final RandomGenerator random = new SplittableRandom(seed);
    final List<Arrival> arrivals = new ArrayList<>();
    double start = 0;
    for (int i = 0; start < seconds; i++) {
      final Phase phase = phases.get(i % phases.size());
      final double end = Math.min(seconds, start + phase.seconds());
      double at = start;
      while ((at += exponential(random) / phase.perSecond()) < end) {
        arrivals.add(
            new Arrival(
                at,
                lognormal(random, phase.promptMean(), PROMPT_SIGMA),
                lognormal(random, phase.answerMean(), ANSWER_SIGMA)));
      }
      start = end;
    }
    return new Workload(name, seconds, arrivals);
  }

  /** Which of the phases, over and over, a time belongs to. */
  static int phaseAt(List<Phase> phases, double atS) {
    double left = atS % phases.stream().mapToDouble(Phase::seconds).sum();
    for (int i = 0; i < phases.size() - 1; i++) {
      if (left < phases.get(i).seconds()) return i;
      left -= phases.get(i).seconds();
    }
    return phases.size() - 1;
  }

  /**
   * A trace in the format of Mooncake's: JSON lines with {@code timestamp} in ms, {@code
   * input_length}, {@code output_length}.
   *
   * @param compression how many times faster than recorded
   */
  public static Workload trace(Path file, double compression) throws IOException {
    final ObjectMapper mapper = new ObjectMapper();
    final List<Arrival> arrivals = new ArrayList<>();
    try (BufferedReader lines = Files.newBufferedReader(file)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        final JsonNode request = mapper.readTree(line);
        arrivals.add(
            new Arrival(
                request.required("timestamp").asDouble() / 1000 / compression,
                request.required("input_length").asInt(),
                request.required("output_length").asInt()));
      }
    }
    if (arrivals.isEmpty()) throw new IOException(file + " has no requests");
    return new Workload(file.getFileName().toString(), arrivals.getLast().atS(), arrivals);
  }

  private static double exponential(RandomGenerator random) {
    return -Math.log(1 - random.nextDouble());
  }

  private static int lognormal(RandomGenerator random, double mean, double sigma) {
    final double mu = Math.log(mean) - sigma * sigma / 2;
    return (int) Math.clamp(Math.exp(mu + sigma * random.nextGaussian()), 1, LENGTH_MAX);
  }
}
