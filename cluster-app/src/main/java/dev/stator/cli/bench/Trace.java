package dev.stator.cli.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.stator.cli.CommandException;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A recorded load in the form of Mooncake's traces: JSON lines with {@code timestamp} (ms), {@code
 * input_length}, {@code output_length} (tokens) and {@code hash_ids}, one for each 512 tokens of
 * input; equal ids are equal text.
 */
final class Trace {
  /** Input tokens that one hash id stands for. */
  static final int BLOCK_TOKENS = 512;

  private static final ObjectMapper JSON = new ObjectMapper();

  private Trace() {}

  /**
   * A recorded request.
   *
   * @param arrivalNs after the trace's first
   */
  record Entry(long arrivalNs, int inputTokens, int outputTokens, long[] blockIds) {}

  /**
   * Reads the first {@code entriesMax} entries. Arrivals that share a timestamp, since recorders
   * tick, are spread evenly up to the next one.
   *
   * @throws CommandException when the file cannot be read, or a line is not an entry
   */
  static List<Entry> read(Path file, int entriesMax) {
    final List<Entry> entries = new ArrayList<>();
    try (BufferedReader lines = Files.newBufferedReader(file)) {
      String line;
      for (int number = 1;
          entries.size() < entriesMax && (line = lines.readLine()) != null;
          number++) {
        if (!line.isBlank()) entries.add(entry(file, number, line));
      }
    } catch (IOException broken) {
      throw new CommandException("the trace " + file + " cannot be read: " + broken.getMessage());
    }
    if (entries.isEmpty()) throw new CommandException("the trace " + file + " has no entry");
    return spread(entries);
  }

  private static Entry entry(Path file, int number, String line) {
    final String where = "%s, line %d: ".formatted(file, number);
    final JsonNode json;
    try {
      json = JSON.readTree(line);
    } catch (JsonProcessingException wrong) {
      throw new CommandException(where + "not JSON");
    }
    for (String key : new String[] {"timestamp", "input_length", "output_length"}) {
      if (!json.path(key).isNumber() || json.path(key).asLong() < 0) {
        throw new CommandException(where + "'" + key + "' must be a number of at least 0");
      }
    }
    final JsonNode ids = json.path("hash_ids");
    final long[] blockIds = new long[Math.max(1, ids.size())];
    blockIds[0] = number;
    for (int i = 0; i < ids.size(); i++) blockIds[i] = ids.get(i).asLong();
    return new Entry(
        json.get("timestamp").asLong() * 1_000_000,
        Math.max(1, json.get("input_length").asInt()),
        Math.max(1, json.get("output_length").asInt()),
        blockIds);
  }

  /** Groups of equal timestamps, each spread over the gap to the next group. */
  private static List<Entry> spread(List<Entry> entries) {
    final List<Entry> spread = new ArrayList<>(entries.size());
    final long firstNs = entries.getFirst().arrivalNs();
    long gapNs = 0;
    for (int from = 0, to; from < entries.size(); from = to) {
      final long tickNs = entries.get(from).arrivalNs();
      to = from;
      while (to < entries.size() && entries.get(to).arrivalNs() == tickNs) to++;
      if (to < entries.size()) gapNs = Math.max(0, entries.get(to).arrivalNs() - tickNs);
      for (int i = from; i < to; i++) {
        final Entry entry = entries.get(i);
        spread.add(
            new Entry(
                tickNs - firstNs + gapNs * (i - from) / (to - from),
                entry.inputTokens(),
                entry.outputTokens(),
                entry.blockIds()));
      }
    }
    return spread;
  }
}
