package dev.stator.cli.engine;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.UncheckedIOException;

/** The report for programs: every figure, its unit in its name. */
public final class EngineBenchJson {
  private static final JsonMapper JSON =
      JsonMapper.builder().propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE).build();

  private EngineBenchJson() {}

  /** Indented, a line end at the end. */
  public static String format(EngineBenchReport report) {
    try {
      return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(report) + "\n";
    } catch (JsonProcessingException broken) {
      throw new UncheckedIOException(broken);
    }
  }
}
