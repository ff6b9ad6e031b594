package dev.stator.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;

/**
 * How a node tells whoever started it that it serves, and where.
 *
 * @param pid the process that wrote it
 * @param http where it answers
 * @param cluster {@code host:port} that other nodes join through
 */
public record StateFile(long pid, URI http, String cluster) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Writes the node's file, whole or not at all; does nothing when nobody wants one. */
  static void write(ClusterMembership member, NodeSummary node) {
    if (member.stateFile().isEmpty()) return;
    final Path file = member.stateFile().get();
    final ObjectNode state =
        JSON.createObjectNode()
            .put("pid", ProcessHandle.current().pid())
            .put("http", StartSummary.reachable(node.address()))
            .put("cluster", node.cluster().orElseThrow().address());
    final Path draft = file.resolveSibling(file.getFileName() + ".new");
    try {
      Files.writeString(draft, state.toString());
      Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }

  /** What a node has written; empty before. */
  public static Optional<StateFile> read(Path file) {
    try {
      final JsonNode state = JSON.readTree(Files.readString(file));
      return Optional.of(
          new StateFile(
              state.path("pid").asLong(),
              URI.create(state.path("http").asText()),
              state.path("cluster").asText()));
    } catch (NoSuchFileException notYet) {
      return Optional.empty();
    } catch (IOException | RuntimeException broken) {
      throw new CommandException("cannot understand " + file + ": " + broken.getMessage(), broken);
    }
  }
}
