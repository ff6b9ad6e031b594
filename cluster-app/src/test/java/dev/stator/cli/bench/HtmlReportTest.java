package dev.stator.cli.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

class HtmlReportTest {
  private static final int PLOTS = 6;
  private static final int REQUESTS = 300;
  private static final int RENDER_SECONDS_MAX = 60;
  private static final Pattern MARKS = Pattern.compile("<svg [^>]*data-marks=\"(\\d+)\"");

  @TempDir private Path folder;

  @Test
  void shouldBeWellFormedAndCarryTheWholeReport() throws Exception {
    final BenchReport report = BenchFixture.report(REQUESTS, index -> index % 50 == 3);
    final JsonNode json = new ObjectMapper().readTree(script(parse(HtmlReport.format(report))));
    assertEquals(report.run().machine(), json.at("/run/machine").asText());
    assertEquals(report.counts().failed(), json.at("/counts/failed").asInt());
    assertEquals(report.ttftMs().p99(), json.at("/ttft_ms/p99").asDouble());
    assertEquals(REQUESTS, json.get("requests").size());
  }

  @Test
  void shouldNeedNothingFromElsewhere() {
    final String page = HtmlReport.format(BenchFixture.report(10, _ -> false));
    assertFalse(
        Pattern.compile("(src|href)\\s*=|@import|url\\(|fetch\\(|import\\(").matcher(page).find());
  }

  @Test
  void shouldThinOutPointsButKeepFailuresWhenThereAreMany() throws Exception {
    final BenchReport report =
        BenchFixture.report(3 * HtmlReport.POINTS_MAX, index -> index % 100 == 1);
    final JsonNode json = new ObjectMapper().readTree(script(parse(HtmlReport.format(report))));
    long failures = 0;
    for (JsonNode request : json.get("requests")) failures += request.has("failure") ? 1 : 0;
    assertEquals(report.counts().failed(), failures);
    assertTrue(json.get("requests").size() <= HtmlReport.POINTS_MAX + failures);
  }

  @Test
  void shouldDrawEveryPlotInABrowser() throws Exception {
    final String dom = render(BenchFixture.report(REQUESTS, index -> index % 50 == 3));
    assertTrue(dom.contains("data-drawn=\"" + PLOTS + "\""), "not all plots were drawn");
    final Matcher marks = MARKS.matcher(dom);
    int plots = 0;
    while (marks.find()) {
      plots++;
      assertTrue(Integer.parseInt(marks.group(1)) > 5, "an almost empty plot: " + marks.group());
    }
    assertEquals(PLOTS, plots);
    assertTrue(dom.contains("6 of 300 requests failed"));
    assertFalse(dom.contains("NaN"), "a coordinate could not be computed");
  }

  @Test
  void shouldDrawWhenEveryRequestFailed() throws Exception {
    final String dom = render(BenchFixture.report(5, _ -> true));
    assertTrue(dom.contains("data-drawn=\"" + PLOTS + "\""), "not all plots were drawn");
    assertTrue(dom.contains("5 of 5 requests failed"));
    assertFalse(dom.contains("NaN"), "a coordinate could not be computed");
  }

  private String render(BenchReport report) throws IOException, InterruptedException {
    final Path browser =
        Stream.of("chromium", "chromium-browser", "google-chrome")
            .flatMap(name ->
                Stream.of(System.getenv("PATH").split(":")).map(path -> Path.of(path, name)))
            .filter(Files::isExecutable)
            .findFirst()
            .orElse(null);
    Assumptions.assumeTrue(browser != null, "needs chromium or google-chrome in PATH");
    final Path page = folder.resolve("report.html");
    Files.writeString(page, HtmlReport.format(report));
    final Path dom = folder.resolve("dom.html");
    final Process process =
        new ProcessBuilder(
                List.of(
                    browser.toString(),
                    "--headless",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--disable-quic",
                    "--no-first-run",
                    "--disable-background-networking",
                    "--disable-component-update",
                    "--disable-sync",
                    "--user-data-dir=" + folder.resolve("profile"),
                    "--dump-dom",
                    page.toUri().toString()))
            .redirectOutput(dom.toFile())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    try {
      assertTrue(process.waitFor(RENDER_SECONDS_MAX, TimeUnit.SECONDS), "the browser hangs");
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
    return Files.readString(dom);
  }

  private static Document parse(String page) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(page)));
  }

  private static String script(Document page) {
    final NodeList scripts = page.getElementsByTagName("script");
    return ((Element) scripts.item(0)).getTextContent();
  }
}
