package dev.stator.model.file;

import dev.stator.model.LoadedModel;
import dev.stator.model.ModelFormatException;
import dev.stator.model.ModelSummary;
import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightScan;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens models: a GGUF file, or a Hugging Face folder.
 *
 * <pre>
 *   path -> header, bounds -> shape -> weights in their roles -> tokenizer, template -> finite weights -> model
 * </pre>
 */
public final class ModelFiles {
  private static final Logger LOG = LoggerFactory.getLogger(ModelFiles.class);
  private static final String GGUF_SUFFIX = ".gguf";

  private ModelFiles() {}

  /**
   * Opens and checks a model; its weights stay in the file, mapped.
   *
   * @return the model; the caller closes it
   * @throws ModelFormatException one sentence that names the file, when it cannot be served
   */
  public static LoadedModel open(Path path) {
    return noted(open(path, ModelFiles::requireFinite));
  }

  /**
   * The same, but its weights, gigabytes perhaps, are not read: for a device that checks them as it
   * packs them.
   *
   * @return the model; the caller closes it
   * @throws ModelFormatException as {@link #open} does, but for values that are not finite
   */
  public static LoadedModel openUnread(Path path) {
    return noted(open(path, parts -> {}));
  }

  private static LoadedModel noted(Opened opened) {
    opened.parts.notes().forEach(note -> LOG.warn("{}: {}", opened.model.source(), note));
    return opened.model;
  }

  /**
   * What a model is; it is opened as in {@link #open} and closed again, but its weights, gigabytes
   * perhaps, are not read.
   *
   * @throws ModelFormatException as {@link #open} does
   */
  public static ModelSummary inspect(Path path) {
    final Opened opened = open(path, parts -> {});
    try (LoadedModel model = opened.model) {
      return ModelSummary.of(model, opened.parts.tokenizerKind(), opened.parts.notes());
    }
  }

  private record Opened(LoadedModel model, ModelParts parts) {}

  private static Opened open(Path path, Consumer<ModelParts> check) {
    final Arena arena = Arena.ofShared();
    try {
      return Messages.about(Messages.nameOf(path), () -> open(path, arena, check));
    } catch (Throwable e) {
      arena.close();
      throw e;
    }
  }

  private static Opened open(Path path, Arena arena, Consumer<ModelParts> check)
      throws IOException {
    final ModelFileLimits limits = ModelFileLimits.load();
    final ModelParts parts =
        Files.isDirectory(path)
            ? HuggingFaceModel.read(path, arena, limits)
            : GgufModel.read(GgufFile.read(GgufFile.map(path, arena), limits));
    check.accept(parts);
    final LoadedModel model =
        new LoadedModel(
            servedName(path),
            path.toString(),
            parts.format(),
            parts.config(),
            parts.weights(),
            parts.weights().matrices().stream().mapToLong(matrix -> matrix.data().byteSize()).sum(),
            parts.tokenizer(),
            parts.chatTemplate(),
            parts.defaults(),
            arena);
    return new Opened(model, parts);
  }

  private static void requireFinite(ModelParts parts) {
    final Optional<ModelFormatException> first =
        parts.weights().matrices().parallelStream()
            .map(ModelFiles::scan)
            .flatMap(Optional::stream)
            .findFirst();
    if (first.isPresent()) throw first.get();
  }

  private static Optional<ModelFormatException> scan(WeightMatrix matrix) {
    try {
      WeightScan.requireFinite(matrix);
      return Optional.empty();
    } catch (ModelFormatException e) {
      return Optional.of(e);
    }
  }

  private static String servedName(Path path) {
    final String name = Messages.nameOf(path);
    return name.toLowerCase(Locale.ROOT).endsWith(GGUF_SUFFIX)
        ? name.substring(0, name.length() - GGUF_SUFFIX.length())
        : name;
  }
}
