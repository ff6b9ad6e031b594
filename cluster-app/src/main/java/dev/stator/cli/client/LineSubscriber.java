package dev.stator.cli.client;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;

/**
 * Feeds the lines of a body to a reader; {@link #completion} tells how that ended, as soon as it is
 * known.
 */
final class LineSubscriber implements Flow.Subscriber<String> {
  private final ChunkReader reader;
  private final CompletableFuture<Completion> completion = new CompletableFuture<>();

  LineSubscriber(ChunkReader reader) {
    this.reader = reader;
  }

  CompletableFuture<Completion> completion() {
    return completion;
  }

  @Override
  public void onSubscribe(Flow.Subscription subscription) {
    subscription.request(Long.MAX_VALUE);
  }

  @Override
  public void onNext(String line) {
    if (completion.isDone()) return;
    try {
      reader.line(line);
    } catch (RuntimeException failure) {
      completion.completeExceptionally(failure);
    }
  }

  @Override
  public void onError(Throwable failure) {
    completion.completeExceptionally(failure);
  }

  @Override
  public void onComplete() {
    if (completion.isDone()) return;
    try {
      completion.complete(reader.end());
    } catch (RuntimeException failure) {
      completion.completeExceptionally(failure);
    }
  }
}
