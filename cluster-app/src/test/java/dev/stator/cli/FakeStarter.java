package dev.stator.cli;

import dev.stator.cli.client.FakeServer;
import dev.stator.device.MemoryPlan;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;

/** Starts a {@link FakeServer} where a node would start, and remembers what was asked for. */
final class FakeStarter implements NodeStarter, AutoCloseable {
  final FakeServer server = new FakeServer();
  final List<NodeSettings> started = new ArrayList<>();
  final CountDownLatch stopped = new CountDownLatch(1);
  RuntimeException failure;

  /** When set, the node stops by itself as soon as someone waits for it. */
  boolean stopsByItself;

  /** Why the node ends without being asked; {@code null} when it does not. */
  String endsWith;

  @Override
  public RunningNode start(NodeSettings settings) {
    started.add(settings);
    if (failure != null) throw failure;
    return new RunningNode() {
      @Override
      public NodeSummary summary() {
        final NodeSummary alone = summaryAt(server.address(), "fake");
        return new NodeSummary(
            alone.model(),
            alone.slots(),
            settings.cluster().map(FakeStarter::member),
            alone.address());
      }

      @Override
      public Optional<String> failure() {
        return Optional.ofNullable(endsWith);
      }

      @Override
      public Duration drainTimeout() {
        return Duration.ZERO;
      }

      @Override
      public void awaitTermination() throws InterruptedException {
        if (!stopsByItself) stopped.await();
      }

      @Override
      public void close() {
        stopped.countDown();
      }
    };
  }

  private static NodeSummary.Cluster member(ClusterMembership member) {
    return new NodeSummary.Cluster(
        member.nodeName(),
        member.roles().toString(),
        member.host() + ":" + member.port(),
        List.of("shared", "udp"),
        "native",
        List.of("fake"),
        member.isFrontend());
  }

  @Override
  public void close() {
    server.close();
  }

  static NodeSummary summaryAt(URI address, String name) {
    final MemoryPlan memory =
        new MemoryPlan(
            List.of(
                new MemoryPlan.Term("weights, mapped", 5_650_144),
                new MemoryPlan.Term("KV pool: 1024 blocks of 96.0 KiB", 100_663_296),
                new MemoryPlan.Term("workspace", 1_258_291)));
    return new NodeSummary(
        Optional.of(
            new NodeSummary.Model(name, "models/fake.gguf", "gguf Q8_0", "llama", 5_246_208, 2048)),
        List.of(new NodeSummary.Slot("prefill + decode", "Vector API, 2 threads", memory)),
        Optional.empty(),
        address);
  }
}
