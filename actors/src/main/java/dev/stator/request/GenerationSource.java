package dev.stator.request;

import dev.stator.request.GenerationEvent.Completed;
import dev.stator.request.GenerationEvent.Failed;
import java.time.Duration;
import org.apache.pekko.actor.Terminated;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.Outlet;
import org.apache.pekko.stream.SourceShape;
import org.apache.pekko.stream.stage.AbstractOutHandler;
import org.apache.pekko.stream.stage.GraphStage;
import org.apache.pekko.stream.stage.GraphStageLogic;
import scala.runtime.BoxedUnit;

/**
 * A call as a stream: opens a session when it is run, asks it for one event each time the reader
 * wants one, and cancels it when the reader goes.
 *
 * <pre>
 *   stage ──Open──▶ hub ──Opened──▶ stage
 *   stage ──Demand──▶ session ──GenerationEvent──▶ stage       one Demand, one event
 *   stage ──Cancel──▶ session
 * </pre>
 */
final class GenerationSource extends GraphStage<SourceShape<GenerationEvent>> {
  /** From the hub: this is the session. */
  record Opened(ActorRef<SessionMessage> session) {}

  private final Outlet<GenerationEvent> out = Outlet.create("GenerationSource.out");
  private final SourceShape<GenerationEvent> shape = SourceShape.of(out);
  private final GenerationCall call;
  private final ActorRef<SessionHub.Command> hub;
  private final Duration retryAfter;

  /**
   * @param retryAfter what a client is told whose session broke
   */
  GenerationSource(GenerationCall call, ActorRef<SessionHub.Command> hub, Duration retryAfter) {
    this.call = call;
    this.hub = hub;
    this.retryAfter = retryAfter;
  }

  @Override
  public SourceShape<GenerationEvent> shape() {
    return shape;
  }

  @Override
  public GraphStageLogic createLogic(Attributes attributes) {
    return new Logic();
  }

  /** Runs on the stream's thread. */
  private final class Logic extends GraphStageLogic {
    private ActorRef<SessionMessage> session; // Null until it is opened.
    private StageActor self;
    private boolean demandIsDue;

    Logic() {
      super(shape);
      setHandler(
          out,
          new AbstractOutHandler() {
            @Override
            public void onPull() {
              if (session == null) demandIsDue = true;
              else session.tell(new SessionMessage.Demand());
            }

            @Override
            public void onDownstreamFinish(Throwable cause) {
              if (session != null) session.tell(new SessionMessage.Cancel());
              completeStage();
            }
          });
    }

    @Override
    public void preStart() {
      self =
          getStageActor(senderAndMessage -> {
            onMessage(senderAndMessage._2());
            return BoxedUnit.UNIT;
          });
      self.watch(Adapter.toClassic(hub));
      hub.tell(new SessionHub.Open(call, Adapter.toTyped(self.ref())));
    }

    private void onMessage(Object message) {
      switch (message) {
        case Opened(var opened) -> {
          session = opened;
          self.watch(Adapter.toClassic(session));
          if (demandIsDue) session.tell(new SessionMessage.Demand());
        }
        case GenerationEvent event -> show(event);
        case Terminated _ ->
            show(new Failed(Failed.Kind.UNAVAILABLE, "the generation was stopped", retryAfter));
        default -> throw new IllegalArgumentException("unexpected message: " + message);
      }
    }

    private void show(GenerationEvent event) {
      emit(out, event); // Waits for the reader when nobody has asked, as with a failure.
      if (event instanceof Completed || event instanceof Failed) complete(out);
    }
  }
}
