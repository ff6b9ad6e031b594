package dev.stator.cli;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** Finds the model that the user means. */
public final class ModelLocator {
  private static final String BUNDLED_MODEL = "stator-tiny-q8_0.gguf";

  private final Optional<Path> home;

  public ModelLocator(Optional<Path> home) {
    this.home = home;
  }

  /**
   * The bundled model when {@code argument} is {@code null}; else that path, or that name in the
   * distribution's {@code models/}.
   *
   * @throws CommandException when there is none; the message lists what was tried
   */
  public Path locate(String argument) {
    return argument == null ? bundled() : named(argument);
  }

  private Path bundled() {
    final Path path =
        home.map(folder -> folder.resolve("models").resolve(BUNDLED_MODEL))
            .orElseThrow(() ->
                new CommandException(
                    "no MODEL given, and without the launcher (-Dstator.home) there is no"
                        + " bundled one"));
    if (!Files.exists(path)) throw new CommandException("the bundled model is missing: " + path);
    return path;
  }

  private Path named(String argument) {
    final List<Path> candidates = new ArrayList<>();
    try {
      candidates.add(Path.of(argument).toAbsolutePath().normalize());
      home.map(folder -> folder.resolve("models"))
          .ifPresent(models -> {
            candidates.add(models.resolve(argument).normalize());
            candidates.add(models.resolve(argument + ".gguf").normalize());
          });
    } catch (InvalidPathException wrong) {
      throw new CommandException("'" + argument + "' is not a path: " + wrong.getReason());
    }
    return candidates.stream()
        .filter(Files::exists)
        .findFirst()
        .orElseThrow(() -> new CommandException(notFound(argument, candidates)));
  }

  private static String notFound(String argument, List<Path> tried) {
    return "no model '%s': tried %s; give a GGUF file or a Hugging Face folder"
        .formatted(
            argument,
            tried.stream().distinct().map(Path::toString).collect(Collectors.joining(", ")));
  }
}
