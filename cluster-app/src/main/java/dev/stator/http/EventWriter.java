package dev.stator.http;

import dev.stator.request.GenerationEvent;
import dev.stator.request.GenerationEvent.Delta;
import dev.stator.request.GenerationEvent.Embedded;
import dev.stator.request.GenerationEvent.Finished;
import dev.stator.request.GenerationEvent.Placed;
import dev.stator.request.GenerationEvent.Usage;
import org.apache.pekko.util.ByteString;

/**
 * Turns one stream of events into the bytes of an answer: at once, chunk by chunk, or at its end.
 * One per answer, one thread at a time.
 */
interface EventWriter {
  /** A choice runs somewhere, and why there. */
  void placed(Placed placed);

  /** More text of a choice. */
  void delta(Delta delta);

  /** A choice is an embedding; of no meaning to writers of answers. */
  default void embedded(Embedded embedded) {
    throw new IllegalStateException("an embedding where an answer was asked for");
  }

  /** A choice has ended. */
  void finished(Finished finished);

  /** All choices have ended well. */
  void completed(Usage usage);

  /** The generation has failed; nothing follows. */
  void failed(ApiError error);

  /** The bytes that are ready since the last call; empty when none are. */
  ByteString take();

  /** Takes any event but a failure, which {@link #failed} takes as an error. */
  default void accept(GenerationEvent event) {
    switch (event) {
      case Placed placed -> placed(placed);
      case Delta delta -> delta(delta);
      case Embedded embedded -> embedded(embedded);
      case Finished finished -> finished(finished);
      case GenerationEvent.Completed completed -> completed(completed.usage());
      case GenerationEvent.Failed failed -> throw new IllegalArgumentException(failed.message());
    }
  }
}
