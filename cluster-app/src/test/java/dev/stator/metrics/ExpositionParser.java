package dev.stator.metrics;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the Prometheus text format and insists on what {@code promtool check metrics} does: help
 * and type before samples, families in one piece, counters that end in {@code _total}, buckets that
 * rise and end in {@code +Inf} with the count, no sample twice.
 */
final class ExpositionParser {
  private static final Pattern SAMPLE =
      Pattern.compile("([a-zA-Z_:][a-zA-Z0-9_:]*)(\\{(.*)\\})? (\\S+)");
  private static final Pattern LABELS =
      Pattern.compile("([a-zA-Z_][a-zA-Z0-9_]*=\"[^\"\\\\\n]*\",?)*");

  /** Sample by name and labels, as they stand in the text. */
  final Map<String, Double> samples = new LinkedHashMap<>();

  private final Map<String, String> types = new HashMap<>();
  private final Map<String, String> helps = new HashMap<>();

  static ExpositionParser parse(String text) {
    if (!text.endsWith("\n")) throw new AssertionError("the last line is not ended");
    ExpositionParser parser = new ExpositionParser();
    String family = "";
    for (String line : text.split("\n")) family = parser.line(line, family);
    parser.checkHistograms();
    return parser;
  }

  double value(String sample) {
    Double value = samples.get(sample);
    if (value == null) throw new AssertionError("no " + sample + " in " + samples.keySet());
    return value;
  }

  private String line(String line, String family) {
    if (line.startsWith("# HELP ")) {
      String[] parts = line.split(" ", 4);
      if (helps.put(parts[2], parts[3]) != null) throw new AssertionError("twice: " + line);
      return parts[2];
    }
    if (line.startsWith("# TYPE ")) {
      String[] parts = line.split(" ", 4);
      if (!parts[2].equals(family)) throw new AssertionError("type without help: " + line);
      types.put(parts[2], parts[3]);
      if (parts[3].equals("counter") && !parts[2].endsWith("_total")) {
        throw new AssertionError("counter without _total: " + line);
      }
      return family;
    }
    Matcher sample = SAMPLE.matcher(line);
    if (!sample.matches()) throw new AssertionError("not a sample: " + line);
    if (sample.group(3) != null && !LABELS.matcher(sample.group(3)).matches()) {
      throw new AssertionError("wrong labels: " + line);
    }
    checkFamily(sample.group(1), family);
    String key = line.substring(0, line.lastIndexOf(' '));
    if (samples.put(key, number(sample.group(4))) != null)
      throw new AssertionError("twice: " + key);
    return family;
  }

  private void checkFamily(String name, String family) {
    boolean isHistogram = "histogram".equals(types.get(family));
    boolean belongs =
        isHistogram
            ? name.matches(Pattern.quote(family) + "_(bucket|count|sum)")
            : name.equals(family) && types.containsKey(family);
    if (!belongs) throw new AssertionError(name + " in family " + family);
  }

  private void checkHistograms() {
    String series = null;
    double last = 0;
    for (Map.Entry<String, Double> sample : samples.entrySet()) {
      String key = sample.getKey();
      if (!key.contains("_bucket{")) continue;
      String current = key.replaceAll("le=\"[^\"]*\",?", "");
      if (!current.equals(series)) last = 0;
      series = current;
      if (sample.getValue() < last) throw new AssertionError("buckets fall at " + key);
      last = sample.getValue();
      if (!key.contains("le=\"+Inf\"")) continue;
      String count = key.replace("_bucket{", "_count{").replaceAll(",?le=\"\\+Inf\"", "");
      if (value(count) != last) throw new AssertionError("count differs from +Inf at " + key);
    }
  }

  private static double number(String text) {
    return switch (text) {
      case "+Inf" -> Double.POSITIVE_INFINITY;
      case "-Inf" -> Double.NEGATIVE_INFINITY;
      default -> Double.parseDouble(text);
    };
  }
}
