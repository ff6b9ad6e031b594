package dev.stator.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import ch.qos.logback.core.joran.spi.JoranException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The operator's {@code config/logback.xml}, as it is shipped. */
class LogbackTest {
  private static final Path FILE = Path.of(System.getProperty("stator.root"), "config/logback.xml");
  private static final String SERVER = "dev.stator.worker.DecodeWorker";

  private final LoggerContext context = new LoggerContext();
  private final PrintStream stderr = System.err;
  private final ByteArrayOutputStream written = new ByteArrayOutputStream();

  @AfterEach
  void restore() {
    context.stop();
    System.setErr(stderr);
  }

  @Test
  void shouldBeQuietByDefault() throws JoranException {
    configure(Map.of());
    context.getLogger(SERVER).info("started");
    context.getLogger("org.apache.pekko.util.ManifestInfo").warn("mixed versions");
    context.getLogger(SERVER).warn("queue full");
    assertEquals(1, lines().size(), written.toString(StandardCharsets.UTF_8));
    assertTrue(
        lines().getFirst().endsWith("WARN  d.s.w.DecodeWorker - queue full"), lines().getFirst());
  }

  @Test
  void shouldSayMoreOfOurselvesAloneWhenVerbose() throws JoranException {
    configure(Map.of("stator.log.level", "DEBUG"));
    context.getLogger(SERVER).debug("step");
    context.getLogger("org.apache.pekko.actor").info("chatter");
    assertEquals(1, lines().size());
  }

  @Test
  void shouldWriteOneJsonObjectALine() throws JoranException, IOException {
    configure(Map.of("stator.log.format", "JSON"));
    context.getMDCAdapter().put("requestId", "r-1");
    context.getLogger(SERVER).error("broke \"here\"\n{}", 7, new IllegalStateException("why"));
    context.getMDCAdapter().clear();
    assertEquals(1, lines().size());
    final JsonNode line = new ObjectMapper().readTree(lines().getFirst());
    assertEquals("ERROR", line.get("level").asText());
    assertEquals(SERVER, line.get("loggerName").asText());
    assertEquals("broke \"here\"\n7", line.get("formattedMessage").asText());
    assertEquals("why", line.at("/throwable/message").asText());
    assertEquals("r-1", line.at("/mdc/requestId").asText());
    assertTrue(line.get("timestamp").asLong() > 0);
    assertTrue(line.has("threadName"));
    assertFalse(line.has("context"));
  }

  private void configure(Map<String, String> properties) throws JoranException {
    System.setErr(new PrintStream(written, true, StandardCharsets.UTF_8));
    context.setMDCAdapter(new LogbackMDCAdapter());
    properties.forEach(context::putProperty);
    final JoranConfigurator configurator = new JoranConfigurator();
    configurator.setContext(context);
    configurator.doConfigure(FILE.toFile());
  }

  private List<String> lines() {
    return written.toString(StandardCharsets.UTF_8).lines().toList();
  }
}
