package dev.stator.cli.bench;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.UncheckedIOException;

/** The report for programs: every figure, its unit in its name. */
public final class JsonReport {
  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .defaultPropertyInclusion(
              JsonInclude.Value.construct(JsonInclude.Include.NON_NULL, JsonInclude.Include.ALWAYS))
          .build();

  private JsonReport() {}

  /** Indented, a line end at the end. */
  public static String format(BenchReport report) {
    return write(JSON.writerWithDefaultPrettyPrinter(), report) + "\n";
  }

  static String compact(BenchReport report) {
    return write(JSON.writer(), report);
  }

  private static String write(ObjectWriter writer, BenchReport report) {
    try {
      return writer.writeValueAsString(report);
    } catch (JsonProcessingException broken) {
      throw new UncheckedIOException(broken);
    }
  }
}
