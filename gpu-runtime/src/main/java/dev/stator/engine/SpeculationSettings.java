package dev.stator.engine;

import com.typesafe.config.Config;
import java.util.Locale;

/**
 * {@code stator.engine.speculation} in reference.conf, which says what each key is for.
 *
 * @param mode where drafts come from
 * @param tokensMax drafts of one sequence in one step
 * @param ngramMin last tokens that must have come before
 * @param ngramMax last tokens by which the best place is chosen
 * @param batchMax decoding sequences in a step beyond which nothing is drafted
 */
public record SpeculationSettings(
    Mode mode, int tokensMax, int ngramMin, int ngramMax, int batchMax) {
  /** Where drafts come from. */
  public enum Mode {
    OFF,
    PROMPT_LOOKUP
  }

  /** No drafts. */
  public static final SpeculationSettings OFF = new SpeculationSettings(Mode.OFF, 1, 1, 1, 1);

  private static final String PATH = "stator.engine.speculation";

  public SpeculationSettings {
    requirePositive("tokens-max", tokensMax);
    requirePositive("ngram-min", ngramMin);
    requirePositive("batch-max", batchMax);
    if (ngramMax < ngramMin) {
      throw new IllegalArgumentException(
          "%s.ngram-max (%d) must be at least %s.ngram-min (%d)"
              .formatted(PATH, ngramMax, PATH, ngramMin));
    }
  }

  /** Reads {@code stator.engine.speculation} from the root configuration. */
  public static SpeculationSettings from(Config root) {
    final Config config = root.getConfig(PATH);
    return new SpeculationSettings(
        mode(config.getString("mode")),
        config.getInt("tokens-max"),
        config.getInt("ngram-min"),
        config.getInt("ngram-max"),
        config.getInt("batch-max"));
  }

  private static Mode mode(String text) {
    for (Mode mode : Mode.values()) {
      if (mode.name().toLowerCase(Locale.ROOT).replace('_', '-').equals(text)) return mode;
    }
    throw new IllegalArgumentException(
        PATH + ".mode is " + text + ", expected off or prompt-lookup");
  }

  private static void requirePositive(String key, int value) {
    if (value <= 0) {
      throw new IllegalArgumentException(PATH + "." + key + " must be positive: " + value);
    }
  }
}
