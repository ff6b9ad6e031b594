package dev.stator.request;

import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.stream.javadsl.Source;

/** Generations by the session hub of this node. */
public final class LocalGenerations implements Generations {
  private final ActorRef<SessionHub.Command> hub;
  private final SessionSettings settings;

  public LocalGenerations(ActorRef<SessionHub.Command> hub, SessionSettings settings) {
    this.hub = hub;
    this.settings = settings;
  }

  @Override
  public Source<GenerationEvent, NotUsed> generate(GenerationCall call) {
    return Source.fromGraph(new GenerationSource(call, hub, settings.retryAfter()));
  }
}
