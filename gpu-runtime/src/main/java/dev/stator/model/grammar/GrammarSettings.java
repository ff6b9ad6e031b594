package dev.stator.model.grammar;

import com.typesafe.config.Config;

/**
 * {@code stator.grammar} in reference.conf, which says what each limit is for; read and checked
 * once, at start.
 *
 * @param sourceCharactersMax of all texts of a constraint
 * @param nestingMax brackets, groups and schemas within each other
 * @param statesMax of a constraint's network
 * @param stackMax open rules within each other while an answer is read
 * @param readingsMax ways to read an answer's beginning at a time
 * @param walkMax readings while the tokens that may follow are looked for
 * @param cachedMax constraints that stay compiled
 * @param cacheBytesMax memory of what is known of their states
 */
public record GrammarSettings(
    int sourceCharactersMax,
    int nestingMax,
    int statesMax,
    int stackMax,
    int readingsMax,
    int walkMax,
    int cachedMax,
    long cacheBytesMax) {
  public GrammarSettings {
    requirePositive("source-characters-max", sourceCharactersMax);
    requirePositive("nesting-max", nestingMax);
    requirePositive("states-max", statesMax);
    requirePositive("stack-max", stackMax);
    requirePositive("readings-max", readingsMax);
    requirePositive("walk-max", walkMax);
    requirePositive("cached-max", cachedMax);
    requirePositive("cache-bytes-max", cacheBytesMax);
  }

  /** Reads {@code stator.grammar} from the root configuration. */
  public static GrammarSettings from(Config root) {
    final Config config = root.getConfig("stator.grammar");
    return new GrammarSettings(
        config.getInt("source-characters-max"),
        config.getInt("nesting-max"),
        config.getInt("states-max"),
        config.getInt("stack-max"),
        config.getInt("readings-max"),
        config.getInt("walk-max"),
        config.getInt("cached-max"),
        config.getBytes("cache-bytes-max"));
  }

  private static void requirePositive(String key, long value) {
    if (value <= 0) {
      throw new IllegalArgumentException("stator.grammar." + key + " must be positive: " + value);
    }
  }
}
