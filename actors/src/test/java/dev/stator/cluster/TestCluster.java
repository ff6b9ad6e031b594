package dev.stator.cluster;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.stator.request.GenerationCall;
import dev.stator.request.GenerationEvent;
import dev.stator.request.ServedModel;
import dev.stator.transport.InProcessBackend;
import dev.stator.transport.TransferBackend;
import dev.stator.transport.TransferSettings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.SinkQueueWithCancel;

/**
 * Several nodes on simulated devices, each an actor system of its own, over TCP on this machine.
 */
final class TestCluster implements AutoCloseable {
  private static final String QUICK =
      """
      pekko.loglevel = INFO
      pekko.actor.testkit.typed.single-expect-default = 10s
      # A system that ends does not say goodbye, as a process that is killed; drain and stop do.
      pekko.coordinated-shutdown.run-by-actor-system-terminate = off
      pekko.remote.artery.advanced.test-mode = on
      pekko.remote.artery.advanced.shutdown-flush-timeout = 100ms
      stator.cluster.report-interval = 100ms
      stator.cluster.heartbeat-interval = 200ms
      stator.cluster.heartbeat-pause = 1500ms
      stator.cluster.down-after = 1500ms
      stator.cluster.seed-timeout = 500ms
      stator.cluster.card-part-bytes = 16
      stator.router.remote-prefill-min-tokens = 9
      stator.router.remote-prefill-transfer-share-max = 1e9 # The device computes in no time.
      stator.router.remote-prefill-min-share = 0.1
      stator.worker.report-interval = 50ms
      stator.worker.write-retry-delay = 1ms
      stator.transport.poll-interval = 20ms
      stator.node.restart-delay-min = 10ms
      stator.session.retry-delay = 5ms
      stator.session.retry-delay-max = 50ms
      stator.session.retries-max = 1000
      """;

  /** A running node. */
  static final class Member {
    final ActorSystem<Void> system;
    final ClusterNode node;

    private Member(ActorSystem<Void> system, ClusterNode node) {
      this.system = system;
      this.node = node;
    }

    /** Nothing gets in or out any more, as when its cable is cut. */
    void cutOff(List<Member> others) {
      for (Member other : others) {
        if (other == this) continue;
        Cable.cut(system, other.system);
        Cable.cut(other.system, system);
      }
    }

    void connect(List<Member> others) {
      for (Member other : others) {
        if (other == this) continue;
        Cable.mend(system, other.system);
        Cable.mend(other.system, system);
      }
    }

    /** As a process that is killed. */
    void kill(List<Member> others) {
      cutOff(others);
      system.terminate();
    }
  }

  final List<Member> members = new ArrayList<>();
  Function<byte[], ServedModel> cardReader = TestCluster::modelOf; // Of the nodes that start next.
  private final String overrides;
  private final TransferBackend backend;
  private final ActorTestKit waiting = ActorTestKit.create();

  TestCluster(String overrides) {
    this.overrides = overrides;
    this.backend =
        InProcessBackend.create(
            TransferSettings.from(ConfigFactory.load().getConfig("stator.transport")));
  }

  /** One that serves clients and routes. The first member starts the cluster. */
  Member frontend(String name) {
    return start(name, "frontend", Optional.empty(), "");
  }

  /** One with slots of the same role. */
  Member worker(String name, EngineSlot... slots) {
    return worker(TestNode.MODEL, name, "", slots);
  }

  Member worker(ServedModel model, String name, String more, EngineSlot... slots) {
    final boolean decodes = slots[0].roles().equals(NodeRoleTest.DECODE);
    final byte[] card = model.name().repeat(5).getBytes(StandardCharsets.UTF_8);
    return start(
        name,
        slots[0].roles().size() == 2 ? "prefill, decode" : decodes ? "decode" : "prefill",
        Optional.of(new HostedModel(model, card, List.of(slots))),
        more);
  }

  Member start(String name, String roles, Optional<HostedModel> hosted, String more) {
    final Config user =
        ConfigFactory.parseString(
                "stator.cluster { node-name = \"%s\", roles = [%s], seed-nodes = [%s], port = %d }"
                    .formatted(name, roles, seeds(), members.isEmpty() ? lowPort() : 0))
            .withFallback(ConfigFactory.parseString(more))
            .withFallback(ConfigFactory.parseString(overrides))
            .withFallback(ConfigFactory.parseString(QUICK))
            .withFallback(ConfigFactory.load())
            .resolve();
    final Config config =
        ConfigFactory.parseString(QUICK).withFallback(ClusterConfig.of(user)).resolve();
    final ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "stator", config);
    final ClusterNode node =
        ClusterNode.start(
            system,
            ClusterSettings.from(user).self(),
            hosted,
            cardReader,
            new ClusterNode.Surroundings(
                backend,
                Map::of,
                System::nanoTime,
                () -> Instant.EPOCH,
                new Random(1),
                new SplittableRandom(1)));
    final Member member = new Member(system, node);
    members.add(member);
    return member;
  }

  /** Below those that systems give away: of two halves the one with the first member stays. */
  private static int lowPort() {
    final Random random = new Random();
    while (true) {
      final int port = 10_000 + random.nextInt(20_000);
      try (ServerSocket free = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        return free.getLocalPort();
      } catch (IOException taken) {
        // Another one.
      }
    }
  }

  private String seeds() {
    return members.isEmpty() ? "" : "\"" + members.getFirst().node.address() + "\"";
  }

  /** The model that a card stands for: its name, five times. */
  static ServedModel modelOf(byte[] card) {
    final String text = new String(card, StandardCharsets.UTF_8);
    return named(text.substring(0, text.length() / 5));
  }

  static ServedModel named(String name) {
    return new ServedModel(
        name, 0, TestNode.CONTEXT, TestNode.TOKENIZER, null, TestNode.MODEL.defaults());
  }

  /** Everybody is up, the frontends know the model, and its router their slots. */
  void awaitServing(Member... some) {
    for (Member member : some) {
      member.node.ready().toCompletableFuture().orTimeout(30, TimeUnit.SECONDS).join();
    }
    awaitTrue(
        "no model yet",
        () ->
            members.stream()
                .filter(member -> !member.node.view().nodes().isEmpty())
                .filter(TestCluster::isFrontend)
                .noneMatch(member -> member.node.models().isEmpty()));
    final int slots =
        Stream.of(some).mapToInt(member -> member.node.stats().workers().size()).sum();
    awaitTrue(
        "slots are not known",
        () ->
            members.stream().mapToInt(member -> member.node.stats().router().workers()).sum()
                >= slots);
  }

  private static boolean isFrontend(Member member) {
    return Cluster.get(member.system).selfMember().hasRole("frontend");
  }

  CompletableFuture<List<GenerationEvent>> start(Member frontend, GenerationCall call) {
    return frontend
        .node
        .generations()
        .generate(call)
        .runWith(Sink.seq(), frontend.system)
        .toCompletableFuture()
        .orTimeout(30, TimeUnit.SECONDS);
  }

  TestNode.Answer answer(Member frontend, GenerationCall call) {
    return TestNode.Answer.of(start(frontend, call).join(), 0);
  }

  SinkQueueWithCancel<GenerationEvent> read(Member frontend, GenerationCall call) {
    return frontend
        .node
        .generations()
        .generate(call)
        .runWith(Sink.<GenerationEvent>queue(), frontend.system);
  }

  void awaitTrue(String what, BooleanSupplier condition) {
    waiting
        .createTestProbe()
        .awaitAssert(
            Duration.ofSeconds(30),
            Duration.ofMillis(50),
            () -> {
              if (!condition.getAsBoolean()) throw new AssertionError(what + ": " + figures());
              return null;
            });
  }

  /** Nothing is held by anybody of these. */
  void awaitEmpty(Member... some) {
    for (Member member : some) {
      awaitTrue(
          "not empty",
          () ->
              member.node.stats().sessions().active() == 0
                  && member.node.stats().router().inFlight() == 0
                  && member.node.stats().transfer().openGrants() == 0
                  && member.node.stats().transfer().blocksInFlight() == 0
                  && member.node.stats().workers().stream()
                      .allMatch(worker -> worker.load().usedBlocks() == 0));
    }
  }

  String figures() {
    return members.stream().map(TestCluster::figures).collect(Collectors.joining("\n"));
  }

  private static String figures(Member member) {
    return member.node.state()
        + " "
        + member.node.stats().workers()
        + member.node.stats().router()
        + member.node.stats().sessions()
        + member.node.stats().transfer()
        + "\n  "
        + member.node.view();
  }

  static <T> T join(CompletableFuture<T> future) {
    return future.orTimeout(30, TimeUnit.SECONDS).join();
  }

  static Function<ClusterView, List<ClusterView.NodeState>> states() {
    return view -> view.nodes().stream().map(ClusterView.NodeView::state).toList();
  }

  @Override
  public void close() {
    members.forEach(member -> member.system.terminate());
    members.forEach(member -> join(member.system.getWhenTerminated().toCompletableFuture()));
    waiting.shutdownTestKit();
    backend.close();
  }
}
