package dev.stator.cli;

import java.util.List;
import java.util.Optional;

/**
 * The words of {@code stator run}, sorted out.
 *
 * @param input {@code http}, {@code text}, {@code batch:FILE} or {@code pool://CLUSTER}
 * @param pool the cluster at either end: its name, or members to join through
 * @param model {@code null} for the bundled one
 */
record RunWords(String input, NodeSettings.Engine engine, Optional<String> pool, String model) {
  private static final String POOL = "pool://";

  /**
   * @throws UsageException when a word is given twice, missing or not known
   */
  static RunWords parse(List<String> words) {
    String input = null;
    String engine = null;
    String model = null;
    for (String word : words) {
      if (word.startsWith("in=")) {
        input = once(input, word, "in=");
      } else if (word.startsWith("out=")) {
        engine = once(engine, word, "out=");
      } else {
        model = once(model, word, "");
      }
    }
    if (input == null)
      throw new UsageException(
          "an input is missing: in=http, in=text, in=batch:FILE or in=pool://CLUSTER");
    if (!input.matches("http|text|batch:.+|pool://.+")) {
      throw new UsageException(
          "in= wants http, text, batch:FILE or pool://CLUSTER: '" + input + "'");
    }
    if (input.startsWith(POOL)) {
      if (isPool(engine)) throw new UsageException("in= and out= cannot both be a pool");
      return new RunWords(input, engine(engine), Optional.of(poolName(input)), model);
    }
    if (!isPool(engine)) return new RunWords(input, engine(engine), Optional.empty(), model);
    if (!input.equals("http")) {
      throw new UsageException("out=" + engine + " goes with in=http alone: '" + input + "'");
    }
    if (model != null) {
      throw new UsageException("out=" + engine + " serves the cluster's models: leave MODEL out");
    }
    return new RunWords(input, NodeSettings.Engine.MODEL, Optional.of(poolName(engine)), null);
  }

  /** Whether this is a worker of a cluster, whose requests come from there. */
  boolean isPoolWorker() {
    return input.startsWith(POOL);
  }

  private static boolean isPool(String word) {
    return word != null && word.startsWith(POOL);
  }

  private static String poolName(String word) {
    final String name = word.substring(POOL.length());
    if (name.isEmpty()) throw new UsageException("pool:// wants a cluster's name, or HOST:PORT");
    return name;
  }

  private static NodeSettings.Engine engine(String name) {
    return switch (name) {
      case "cpu" -> NodeSettings.Engine.CPU;
      case "echo" -> NodeSettings.Engine.ECHO;
      case "cuda" -> NodeSettings.Engine.CUDA;
      case null -> NodeSettings.Engine.MODEL;
      default ->
          throw new UsageException("out= wants cpu, cuda, echo or pool://CLUSTER: '" + name + "'");
    };
  }

  private static String once(String before, String word, String prefix) {
    if (before != null) {
      throw new UsageException("given twice: " + prefix + before + " and " + word);
    }
    return word.substring(prefix.length());
  }
}
