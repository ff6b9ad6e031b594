package dev.stator.cli.transfer;

import dev.stator.transport.BlockMove;
import dev.stator.transport.Grant;
import dev.stator.transport.TransferAgent;
import dev.stator.transport.TransferStatus;
import dev.stator.transport.WriteOutcome;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;

/**
 * Blocks through transfer agents, checksums and all, as in the product: written in lists like those
 * of a prefill chunk, the blocks of some chunks on their way at once.
 */
final class AgentWay implements Way {
  private static final int WRITE_BLOCKS = 32;
  private static final int IN_FLIGHT_BLOCKS_MAX = 512; // Four chunks of 2048 tokens.
  private static final int TIMEOUT_SECONDS = 120;

  /** Has the receiver grant its first blocks. */
  interface Granter extends AutoCloseable {
    Grant grant(int blocks) throws Exception;

    @Override
    void close() throws IOException;
  }

  private final String name;
  private final int processes;
  private final TransferAgent writer;
  private final int memory;
  private final int blocks;
  private final Granter granter;
  private Grant prepared;

  AgentWay(
      String name, int processes, TransferAgent writer, int memory, int blocks, Granter granter) {
    this.name = name;
    this.processes = processes;
    this.writer = writer;
    this.memory = memory;
    this.blocks = blocks;
    this.granter = granter;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public int processes() {
    return processes;
  }

  /** Asking for a grant is no part of a transfer. */
  @Override
  public void prepare() throws Exception {
    prepared = granter.grant(blocks);
  }

  @Override
  public void moveAll() throws Exception {
    final Grant grant = prepared;
    final int permits = Math.min(IN_FLIGHT_BLOCKS_MAX, writer.inFlightBlocksMax());
    final Semaphore window = new Semaphore(permits);
    final AtomicReference<WriteOutcome> trouble = new AtomicReference<>();
    final int step = Math.min(WRITE_BLOCKS, permits);
    for (int first = 0; first < blocks; first += step) {
      final int count = Math.min(step, blocks - first);
      if (!window.tryAcquire(count)) { // Sleeps seldom, and long enough to be worth it.
        final int many = Math.max(count, permits / 2);
        acquire(window, many);
        window.release(many - count);
      }
      final List<BlockMove> moves =
          IntStream.range(first, first + count).mapToObj(i -> new BlockMove(i, i)).toList();
      writer.write(
          grant,
          memory,
          moves,
          outcome -> {
            if (outcome.status() != TransferStatus.OK) trouble.set(outcome);
            window.release(count);
          });
    }
    acquire(window, permits);
    if (trouble.get() != null) {
      throw new IllegalStateException(name + " lost blocks: " + trouble.get().status());
    }
  }

  private void acquire(Semaphore window, int permits) throws InterruptedException {
    if (!window.tryAcquire(permits, TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
      throw new IllegalStateException(name + " stands still");
    }
  }

  @Override
  public long[] moveEach(int count) throws Exception {
    final Grant grant = granter.grant(count);
    final long[] tookNs = new long[count];
    for (int i = 0; i < count; i++) {
      final CompletableFuture<WriteOutcome> outcome = new CompletableFuture<>();
      final long startNs = System.nanoTime();
      writer.write(grant, memory, List.of(new BlockMove(i, i)), outcome::complete);
      final WriteOutcome end = outcome.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
      tookNs[i] = System.nanoTime() - startNs;
      if (end.status() != TransferStatus.OK) {
        throw new IllegalStateException(name + " lost a block: " + end.status());
      }
    }
    return tookNs;
  }

  @Override
  public void close() throws IOException {
    try {
      granter.close();
    } finally {
      writer.close();
    }
  }
}
