package dev.stator.multijvm.harness;

import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What one undisturbed process answers: what every cluster must answer, whatever happens to it. */
public final class QuietRun {
  private QuietRun() {}

  /** The bundled model's answers, in the order of the questions. */
  public static List<Answer.Bytes> answers(
      Distribution distribution, Path folder, List<Question> questions, String... arguments)
      throws Exception {
    final List<String> words = new ArrayList<>(List.of("serve"));
    words.addAll(List.of(arguments));
    words.addAll(List.of("--port", "0"));
    try (StatorProcess server =
        StatorProcess.start(
            distribution.launcher(),
            folder,
            distribution.startUpCache(),
            words.toArray(String[]::new))) {
      final URI address = server.waitUntilReady();
      try (Load load = Load.start(address, questions)) {
        return load.bytes();
      }
    }
  }
}
