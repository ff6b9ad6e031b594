package dev.stator.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.Done;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.Test;

class ClusterStatusTest {
  private static final String HAND_OVER = CoordinatedShutdown.PhaseClusterShardingShutdownRegion();
  private static final String LEAVE = CoordinatedShutdown.PhaseClusterLeave();
  private static final NodeIdentity WORKER = new NodeIdentity("decode-1", Set.of(NodeRole.DECODE));
  private static final NodeIdentity FRONTEND =
      new NodeIdentity("frontend-1", Set.of(NodeRole.FRONTEND));

  /** Whoever waits for its regions waits for routers that may all have gone. */
  @Test
  void shouldHandNothingOverWhenTheNodeHostsNoRouters() {
    assertEquals(List.of(LEAVE), phasesOfTheEndOf(WORKER));
  }

  @Test
  void shouldHandItsRoutersOverBeforeItLeaves() {
    assertEquals(List.of(HAND_OVER, LEAVE), phasesOfTheEndOf(FRONTEND));
  }

  private static List<String> phasesOfTheEndOf(NodeIdentity node) {
    final ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "ending");
    final List<String> phases = new CopyOnWriteArrayList<>();
    for (String phase : List.of(HAND_OVER, LEAVE)) {
      CoordinatedShutdown.get(system)
          .addTask(
              phase,
              "note",
              () -> {
                phases.add(phase);
                return CompletableFuture.completedFuture(Done.getInstance());
              });
    }
    final ClusterStatus status = new ClusterStatus(system, node);
    status.end(true, "asked for");
    final ClusterNode.Ending ending = status.stopped().orTimeout(30, TimeUnit.SECONDS).join();
    assertEquals(new ClusterNode.Ending(true, "asked for"), ending);
    return List.copyOf(phases);
  }
}
