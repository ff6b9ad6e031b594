package dev.stator.multijvm.harness;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** One process with the bundled model that nothing disturbs. It is asked each question once. */
final class QuietRun implements AutoCloseable {
  private final StatorProcess server;
  private final URI address;
  private final Map<Question, Answer.Bytes> known = new HashMap<>();

  private QuietRun(StatorProcess server, URI address) {
    this.server = server;
    this.address = address;
  }

  static QuietRun start(Distribution distribution, Path folder)
      throws IOException, InterruptedException {
    final StatorProcess server =
        StatorProcess.start(
            distribution.launcher(), folder, distribution.startUpCache(), "serve", "--port", "0");
    return new QuietRun(server, server.waitUntilReady());
  }

  /** In the order of the questions. */
  List<Answer.Bytes> answers(List<Question> questions) {
    final List<Question> open =
        questions.stream().filter(question -> !known.containsKey(question)).distinct().toList();
    try (Load load = Load.start(address, open)) {
      final List<Answer.Bytes> bytes = load.bytes();
      for (int i = 0; i < bytes.size(); i++) known.put(open.get(i), bytes.get(i));
    }
    return questions.stream().map(known::get).toList();
  }

  @Override
  public void close() {
    server.close();
  }
}
