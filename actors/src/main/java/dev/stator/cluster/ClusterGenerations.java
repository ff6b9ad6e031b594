package dev.stator.cluster;

import dev.stator.request.GenerationCall;
import dev.stator.request.GenerationEvent;
import dev.stator.request.GenerationEvent.Failed;
import dev.stator.request.Generations;
import dev.stator.request.LocalGenerations;
import dev.stator.request.ServedModel;
import dev.stator.request.SessionHub;
import dev.stator.request.SessionSettings;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.stream.javadsl.Source;

/**
 * Generations of any model that the cluster serves.
 *
 * <p><b>Threads:</b> any calls; the node's guardian adds and removes.
 */
final class ClusterGenerations implements Generations {
  private record Serving(
      ServedModel model, Generations generations, ActorRef<SessionHub.Command> hub) {}

  private final SessionSettings settings;
  private final Map<String, Serving> serving = new ConcurrentHashMap<>();

  ClusterGenerations(SessionSettings settings) {
    this.settings = settings;
  }

  void add(ServedModel model, ActorRef<SessionHub.Command> hub) {
    serving.put(model.name(), new Serving(model, new LocalGenerations(hub, settings), hub));
  }

  void remove(String model) {
    serving.remove(model);
  }

  /** Refuses calls started from now on as unavailable. */
  void close() {
    serving.values().forEach(each -> each.hub().tell(new SessionHub.Close()));
  }

  /** By name. */
  List<ServedModel> models() {
    return serving.values().stream()
        .map(Serving::model)
        .sorted(Comparator.comparing(ServedModel::name))
        .toList();
  }

  @Override
  public Source<GenerationEvent, NotUsed> generate(GenerationCall call) {
    final Serving found = serving.get(call.model());
    if (found != null) return found.generations().generate(call);
    return Source.single(
        serving.isEmpty()
            ? new Failed(
                Failed.Kind.UNAVAILABLE, "no model is served here yet", settings.retryAfter())
            : new Failed(Failed.Kind.UNKNOWN_MODEL, "there is no model " + call.model(), null));
  }
}
