package dev.stator.cli.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogReaderTest {
  private static final String LONG_LINE = "ü".repeat(100_000) + "\n";

  @TempDir private Path folder;
  private Path log;

  @BeforeEach
  void nameLog() {
    log = folder.resolve("node.log");
  }

  @Test
  void shouldBeginWithTheLastLines() throws IOException {
    write("first\nsecond\nthird\n");
    assertEquals("second\nthird\n", LogReader.ofLast(log, 2).next());
    assertEquals("first\nsecond\nthird\n", LogReader.ofLast(log, 4).next());
    assertEquals("", LogReader.ofLast(log, 0).next());
    write("fourth");
    assertEquals("third\nfourth", LogReader.ofLast(log, 2).next());
  }

  @Test
  void shouldBeginWithAWholeLineWhenEarlierOnesAreLong() throws IOException {
    write(LONG_LINE + LONG_LINE);
    assertEquals(LONG_LINE, LogReader.ofLast(log, 2).next());
  }

  @Test
  void shouldGiveEveryCharacterOnceAndWhole() throws IOException {
    write("a\ngr");
    final LogReader reader = LogReader.ofLast(log, 1);
    assertEquals("gr", reader.next());
    assertEquals("", reader.next());
    final byte[] rest = "ün\n".getBytes(StandardCharsets.UTF_8);
    write(Arrays.copyOf(rest, 1));
    assertEquals("", reader.next());
    write(Arrays.copyOfRange(rest, 1, rest.length));
    assertEquals("ün\n", reader.next());
  }

  @Test
  void shouldCutNoCharacterWhereMuchComesAtOnce() throws IOException {
    write("");
    final LogReader reader = LogReader.ofLast(log, 1);
    final String much = "x" + LONG_LINE.repeat(6);
    write(much);
    final StringBuilder text = new StringBuilder();
    for (String next = reader.next(); !next.isEmpty(); next = reader.next()) text.append(next);
    assertEquals(much, text.toString());
  }

  @Test
  void shouldReadANewLogFromItsStart() throws IOException {
    write("first life\n");
    final LogReader reader = LogReader.ofLast(log, 1);
    assertEquals("first life\n", reader.next());
    Files.writeString(log, "second\n");
    assertEquals("second\n", reader.next());
  }

  @Test
  void shouldWaitForALogThatIsNotThereYet() throws IOException {
    final LogReader reader = LogReader.ofLast(log, 1);
    assertEquals("", reader.next());
    write("started\n");
    assertEquals("started\n", reader.next());
  }

  private void write(String text) throws IOException {
    write(text.getBytes(StandardCharsets.UTF_8));
  }

  private void write(byte[] bytes) throws IOException {
    Files.write(log, bytes, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }
}
