package dev.stator.multijvm.harness;

import java.net.URI;
import java.net.http.HttpClient;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Streams side by side, from as many clients as there are questions. */
public final class Load implements AutoCloseable {
  private final HttpClient http = HttpClient.newHttpClient();
  private final List<Stream> streams;

  private Load(Supplier<URI> servers, List<Question> questions) {
    this.streams =
        questions.stream().map(question -> Stream.start(http, servers.get(), question)).toList();
  }

  /** Asks all at once. */
  public static Load start(URI server, List<Question> questions) {
    return new Load(() -> server, questions);
  }

  /** Asks all at once, each question the server that is supplied for it. */
  public static Load start(Supplier<URI> servers, List<Question> questions) {
    return new Load(servers, questions);
  }

  /** Waits until every stream has begun to answer. */
  public void awaitFirstTexts() throws InterruptedException {
    for (Stream stream : streams) stream.awaitFirstText();
  }

  /** Waits until any stream has begun to answer. */
  public void awaitAFirstText() {
    CompletableFuture.anyOf(
            streams.stream().map(Stream::firstText).toArray(CompletableFuture[]::new))
        .orTimeout(Stream.PATIENCE.toMillis(), TimeUnit.MILLISECONDS)
        .join();
  }

  public List<Stream> streams() {
    return streams;
  }

  /** How many have not ended. */
  public long openCount() {
    return streams.stream().filter(stream -> !stream.isDone()).count();
  }

  /** How many have not begun to answer. */
  public long silentCount() {
    return streams.stream().filter(stream -> !stream.firstText().isDone()).count();
  }

  /** Waits for all; in the order of the questions. */
  public List<Answer.Bytes> bytes() {
    return streams.stream().map(stream -> stream.answer().bytes()).toList();
  }

  public List<Answer> answers() {
    return streams.stream().map(Stream::answer).toList();
  }

  @Override
  public void close() {
    http.shutdownNow();
  }
}
