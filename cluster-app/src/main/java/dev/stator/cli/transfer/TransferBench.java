package dev.stator.cli.transfer;

import dev.stator.cli.bench.Spread;
import dev.stator.transport.BlockMemory;
import dev.stator.transport.InProcessBackend;
import dev.stator.transport.SharedMemory;
import dev.stator.transport.TransferAgent;
import dev.stator.transport.node.TransferBackends;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;

/**
 * One run. In every round every way has its turn, so that what else the machine does in the
 * meantime slows all alike; ratios are taken within rounds.
 */
public final class TransferBench {
  private static final String SHARED = "shared";
  private static final String UDP = "udp";
  private static final int WARM_UP_ROUNDS = 10; // Until compilers have done their work.

  private final TransferBenchSettings settings;
  private final Consumer<String> progress;

  /**
   * @param progress is told what happens, a line each
   */
  public TransferBench(TransferBenchSettings settings, Consumer<String> progress) {
    this.settings = settings;
    this.progress = progress;
  }

  /**
   * Runs to the end.
   *
   * @throws Exception when blocks got lost, or the second process did
   */
  public TransferReport run(String machine, String stator, String startedAt) throws Exception {
    final List<TransferReport.Throughput> throughput = new ArrayList<>();
    final List<TransferReport.Latency> latency = new ArrayList<>();
    final List<TransferReport.Idle> idle;
    progress.accept("starting the receiving process");
    WarmHeap.warm();
    try (Source source = Source.open(settings);
        SharedMemory target = Backends.memory(settings.bytes());
        PeerProcess peer = PeerProcess.start(settings.bytes())) {
      for (int blockBytes : settings.blockBytes()) {
        try (Ways ways = new Ways(settings, source, target, peer, blockBytes)) {
          throughput.addAll(measureThroughput(ways, peer, blockBytes));
          if (blockBytes == settings.blockBytes().getFirst() && settings.latencyBlocks() > 0) {
            latency.addAll(measureLatency(ways, blockBytes));
          }
        }
      }
      idle = measureIdle(source, target, peer);
    }
    return new TransferReport(
        machine + "; copies: " + Backends.copies(),
        stator,
        startedAt,
        settings.bytes(),
        settings.rounds(),
        throughput,
        latency,
        idle);
  }

  /** What every way sends, in the memory of the backend that wants it in its own. */
  private record Source(TransferBackends shared, SharedMemory memory) implements AutoCloseable {
    static Source open(TransferBenchSettings settings) {
      if (!settings.ways().contains(SHARED)) {
        return new Source(null, Backends.memory(settings.bytes()));
      }
      final TransferBackends shared = Backends.start(SHARED);
      return new Source(
          shared, Backends.touched(shared.allocateShared(settings.bytes()).orElseThrow()));
    }

    @Override
    public void close() {
      memory.close();
      if (shared != null) shared.close();
    }
  }

  /** All ways for blocks of one length. */
  private static final class Ways implements AutoCloseable {
    private final List<TransferBackends> backends = new ArrayList<>();
    private final List<Way> all = new ArrayList<>();
    private final Source source;
    private final int blockBytes;

    Ways(
        TransferBenchSettings settings,
        Source source,
        SharedMemory target,
        PeerProcess peer,
        int blockBytes)
        throws Exception {
      this.source = source;
      this.blockBytes = blockBytes;
      final MemorySegment bytes = source.memory().segment();
      all.add(new CopyWay(bytes, target.segment(), blockBytes));
      for (String name : TransferBenchSettings.WAYS) {
        if (!settings.ways().contains(name)) continue;
        if (name.equals(UDP)) all.add(new TcpWay(bytes, blockBytes, peer.listen()));
        if (name.equals(InProcessBackend.NAME)) {
          final TransferBackends own = start(name);
          add(name, 1, own, TransferPeer.Receiver.open(own, "receiver", target, blockBytes));
        } else {
          final TransferBackends own = name.equals(SHARED) ? source.shared() : start(name);
          add(name, 2, own, peer.open(name, blockBytes));
        }
      }
    }

    private TransferBackends start(String name) {
      final TransferBackends started = Backends.start(name);
      backends.add(started);
      return started;
    }

    private void add(
        String name, int processes, TransferBackends writers, AgentWay.Granter granter) {
      final TransferAgent writer = Backends.agent("writer", writers.selector());
      final BlockMemory memory = BlockMemory.of(source.memory(), Backends.geometry(blockBytes));
      final int registered = writer.register(memory);
      all.add(new AgentWay(name, processes, writer, registered, memory.blockCount(), granter));
    }

    @Override
    public void close() throws IOException {
      for (Way way : all) way.close();
      for (TransferBackends each : backends) each.close();
    }
  }

  /** What one way took. */
  private static final class Taken {
    private final double[] seconds;
    private double cpuSeconds;

    Taken(int rounds) {
      seconds = new double[rounds];
    }
  }

  private List<TransferReport.Throughput> measureThroughput(
      Ways ways, PeerProcess peer, int blockBytes) throws Exception {
    final Map<String, Taken> taken = new LinkedHashMap<>();
    for (Way way : ways.all) taken.put(way.name(), new Taken(settings.rounds()));
    for (int round = -WARM_UP_ROUNDS; round < settings.rounds(); round++) {
      progress.accept("blocks of " + blockBytes + " bytes, " + label(round));
      for (Way way : ways.all) {
        way.prepare();
        final Duration cpuBefore = cpuTime(peer);
        final long startNs = System.nanoTime();
        way.moveAll();
        final double seconds = (System.nanoTime() - startNs) / 1e9;
        if (round < 0) continue;
        taken.get(way.name()).seconds[round] = seconds;
        taken.get(way.name()).cpuSeconds += cpuTime(peer).minus(cpuBefore).toNanos() / 1e9;
      }
    }
    return ways.all.stream().map(way -> summarize(way, blockBytes, taken)).toList();
  }

  private String label(int round) {
    return round < 0
        ? "warm-up"
        : String.format(Locale.ROOT, "round %d of %d", round + 1, settings.rounds());
  }

  private static Duration cpuTime(PeerProcess peer) {
    return ownCpuTime().plus(peer.cpuTime());
  }

  private TransferReport.Throughput summarize(Way way, int blockBytes, Map<String, Taken> taken) {
    final Taken own = taken.get(way.name());
    final String other = way.name().equals(UDP) ? TcpWay.NAME : CopyWay.NAME;
    final boolean isBase = List.of(CopyWay.NAME, TcpWay.NAME).contains(way.name());
    final double[] ratios = new double[settings.rounds()];
    for (int i = 0; i < ratios.length; i++) {
      ratios[i] = taken.get(other).seconds[i] / own.seconds[i];
    }
    final Spread spread = Spread.of(ratios);
    return new TransferReport.Throughput(
        way.name(),
        way.processes(),
        blockBytes,
        settings.bytes() / 1e9 / Spread.of(own.seconds).median(),
        own.cpuSeconds / settings.rounds() / (settings.bytes() / 1e9),
        isBase ? null : other,
        spread.median(),
        spread.low(),
        spread.high());
  }

  private List<TransferReport.Latency> measureLatency(Ways ways, int blockBytes) throws Exception {
    final int blocks = (int) Math.min(settings.latencyBlocks(), settings.bytes() / blockBytes);
    final List<TransferReport.Latency> latencies = new ArrayList<>();
    for (Way way : ways.all) {
      progress.accept("latency of " + way.name());
      final long[] tookNs = way.moveEach(blocks);
      Arrays.sort(tookNs);
      latencies.add(
          new TransferReport.Latency(
              way.name(),
              blockBytes,
              tookNs[blocks / 2] / 1e3,
              tookNs[(int) Math.min(blocks - 1, Math.round(blocks * 0.99))] / 1e3));
    }
    return latencies;
  }

  /** With agents that have sent a block and have nothing more to do, over both of Aeron's ways. */
  private List<TransferReport.Idle> measureIdle(
      Source source, SharedMemory target, PeerProcess peer) throws Exception {
    if (settings.idle().isZero()) return List.of();
    progress.accept("doing nothing for " + settings.idle().toMillis() / 1000.0 + " s");
    try (Ways ways = new Ways(settings, source, target, peer, settings.blockBytes().getFirst())) {
      for (Way way : ways.all) way.moveEach(1);
      Thread.sleep(1000); // Until compilers and collectors rest.
      final Duration senderBefore = ownCpuTime();
      final Duration receiverBefore = peer.cpuTime();
      Thread.sleep(settings.idle());
      final double minutes = settings.idle().toMillis() / 60e3;
      return List.of(
          idle("sender", ownCpuTime().minus(senderBefore), minutes),
          idle("receiver", peer.cpuTime().minus(receiverBefore), minutes));
    }
  }

  private static TransferReport.Idle idle(String side, Duration cpu, double minutes) {
    return new TransferReport.Idle(side, cpu.toMillis() / 1e3 / minutes);
  }

  private static Duration ownCpuTime() {
    return ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO);
  }
}
