package dev.stator.request;

import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Source;

/** Starts generations. The HTTP layer's only door to the actors. */
public interface Generations {
  /**
   * A generation that starts when the source is run, once. Cancelling the stream cancels the
   * generation; its blocks are free within one engine step. Slow demand slows nobody else: text is
   * joined while it waits.
   */
  Source<GenerationEvent, NotUsed> generate(GenerationCall call);
}
