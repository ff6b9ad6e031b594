package dev.stator.cli.bench;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The report as a page that needs nothing else: the data as JSON inside it, drawn by its own small
 * script. It is well-formed XML too.
 */
public final class HtmlReport {
  /** More points than this say nothing more in a scatter plot. */
  static final int POINTS_MAX = 3000;

  private static final String DATA = "/*REPORT*/";

  private HtmlReport() {}

  public static String format(BenchReport report) {
    final String json = JsonReport.compact(withFewerPoints(report));
    return template().replace(DATA, escapedForMarkup(json));
  }

  /** Every k-th request; failed ones all stay. */
  private static BenchReport withFewerPoints(BenchReport report) {
    final List<BenchReport.RequestPoint> requests = report.requests();
    final int step = (requests.size() + POINTS_MAX - 1) / POINTS_MAX;
    if (step <= 1) return report;
    return report.with(
        IntStream.range(0, requests.size())
            .filter(i -> i % step == 0 || requests.get(i).failure() != null)
            .mapToObj(requests::get)
            .toList());
  }

  /** JSON that neither ends its script element nor means anything to an XML parser. */
  private static String escapedForMarkup(String json) {
    return json.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e");
  }

  private static String template() {
    try (InputStream in = HtmlReport.class.getResourceAsStream("report.html")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }
}
