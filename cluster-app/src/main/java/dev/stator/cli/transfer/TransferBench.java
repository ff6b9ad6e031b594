package dev.stator.cli.transfer;

import dev.stator.transport.BlockMemory;
import dev.stator.transport.InProcessBackend;
import dev.stator.transport.SharedMemory;
import dev.stator.transport.TransferAgent;
import dev.stator.transport.TransferBackend;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.DoubleStream;

/**
 * One run. In every round every way has its turn, so that what else the machine does in the
 * meantime slows all alike; ratios are taken within rounds.
 */
public final class TransferBench {
  private static final String UDP = "udp";
  private static final List<String> BETWEEN_PROCESSES = List.of("ipc", UDP);

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
    try (SharedMemory source = Backends.memory(settings.bytes());
        SharedMemory target = Backends.memory(settings.bytes());
        PeerProcess peer = PeerProcess.start(settings.bytes())) {
      for (int blockBytes : settings.blockBytes()) {
        try (Ways ways = new Ways(source, target, peer, blockBytes)) {
          throughput.addAll(measureThroughput(ways, blockBytes));
          if (blockBytes == settings.blockBytes().getFirst() && settings.latencyBlocks() > 0) {
            latency.addAll(measureLatency(ways, blockBytes));
          }
        }
      }
      idle = measureIdle(source, target, peer);
    }
    return new TransferReport(
        machine, stator, startedAt, settings.bytes(), settings.rounds(), throughput, latency, idle);
  }

  /** All ways for blocks of one length. */
  private static final class Ways implements AutoCloseable {
    private final List<TransferBackend> backends = new ArrayList<>();
    private final List<Way> all = new ArrayList<>();

    Ways(SharedMemory source, SharedMemory target, PeerProcess peer, int blockBytes)
        throws Exception {
      all.add(new CopyWay(source.segment(), target.segment(), blockBytes));
      final TransferBackend local = Backends.create(InProcessBackend.NAME);
      backends.add(local);
      final var receiver = TransferPeer.Receiver.open(local, "receiver", target, blockBytes);
      all.add(agent(InProcessBackend.NAME, 1, local, source, blockBytes, receiver));
      for (String name : BETWEEN_PROCESSES) {
        if (name.equals(UDP)) all.add(new TcpWay(source.segment(), blockBytes, peer.listen()));
        final TransferBackend backend = Backends.create(name);
        all.add(agent(name, 2, backend, source, blockBytes, peer.open(name, blockBytes)));
        backends.add(backend);
      }
    }

    private static AgentWay agent(
        String name,
        int processes,
        TransferBackend backend,
        SharedMemory source,
        int blockBytes,
        AgentWay.Granter granter) {
      final TransferAgent writer = Backends.agent("writer", backend);
      final BlockMemory memory = BlockMemory.of(source, Backends.geometry(blockBytes));
      final int registered = writer.register(memory);
      return new AgentWay(name, processes, writer, registered, memory.blockCount(), granter);
    }

    @Override
    public void close() throws IOException {
      for (Way way : all) way.close();
      for (TransferBackend backend : backends) backend.close();
    }
  }

  private List<TransferReport.Throughput> measureThroughput(Ways ways, int blockBytes)
      throws Exception {
    final Map<String, double[]> seconds = new LinkedHashMap<>();
    for (Way way : ways.all) seconds.put(way.name(), new double[settings.rounds()]);
    for (int round = -1; round < settings.rounds(); round++) { // One to warm up.
      progress.accept("blocks of " + blockBytes + " bytes, round " + (round + 1));
      for (Way way : ways.all) {
        final double took = time(way);
        if (round >= 0) seconds.get(way.name())[round] = took;
      }
    }
    return ways.all.stream().map(way -> summarize(way, blockBytes, seconds)).toList();
  }

  private static double time(Way way) throws Exception {
    way.prepare();
    final long startNs = System.nanoTime();
    way.moveAll();
    return (System.nanoTime() - startNs) / 1e9;
  }

  private TransferReport.Throughput summarize(
      Way way, int blockBytes, Map<String, double[]> seconds) {
    final double[] own = seconds.get(way.name());
    final double gigabytesPerSecond =
        settings.bytes() / 1e9 / median(DoubleStream.of(own).toArray());
    final String other = way.name().equals(UDP) ? TcpWay.NAME : CopyWay.NAME;
    final boolean isBase = List.of(CopyWay.NAME, TcpWay.NAME).contains(way.name());
    final double[] ratios = new double[own.length];
    for (int i = 0; i < own.length; i++) ratios[i] = seconds.get(other)[i] / own[i];
    Arrays.sort(ratios);
    return new TransferReport.Throughput(
        way.name(),
        way.processes(),
        blockBytes,
        gigabytesPerSecond,
        isBase ? null : other,
        median(ratios),
        ratios[0],
        ratios[ratios.length - 1]);
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
      SharedMemory source, SharedMemory target, PeerProcess peer) throws Exception {
    if (settings.idle().isZero()) return List.of();
    progress.accept("doing nothing for " + settings.idle().toMillis() / 1000.0 + " s");
    try (Ways ways = new Ways(source, target, peer, settings.blockBytes().getFirst())) {
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

  static double median(double[] values) {
    final double[] sorted = values.clone();
    Arrays.sort(sorted);
    final int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
