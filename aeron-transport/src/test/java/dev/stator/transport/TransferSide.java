package dev.stator.transport;

import com.typesafe.config.ConfigFactory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.IntStream;

/** An agent with a backend and memory of its own, and calls that wait, but not for ever. */
final class TransferSide implements AutoCloseable {
  static final int BLOCK_BYTES = 64 * 1024;
  static final int BLOCKS = 64;
  static final Duration LIFE = Duration.ofMinutes(1);

  private static final TransferSettings SETTINGS =
      TransferSettings.from(ConfigFactory.load().getConfig("stator.transport"));

  final Arena arena = Arena.ofShared();
  final MemorySegment memory = arena.allocate((long) BLOCK_BYTES * BLOCKS);
  final TransferBackend backend;
  final TransferAgent agent;
  final int registered;

  TransferSide(String name, TransferBackend backend, long seed) {
    this(name, backend, seed, memory -> BlockMemory.of(memory, BLOCK_BYTES));
  }

  /**
   * @param blocks of its memory
   */
  TransferSide(
      String name,
      TransferBackend backend,
      long seed,
      Function<MemorySegment, BlockMemory> blocks) {
    this.backend = backend;
    this.agent = new TransferAgent(name, SETTINGS, backend, System::nanoTime, new Random(seed));
    this.registered = agent.register(blocks.apply(memory));
    final Random random = new Random(seed);
    for (long at = 0; at < memory.byteSize(); at += Long.BYTES) {
      memory.set(ValueLayout.JAVA_LONG, at, random.nextLong());
    }
  }

  Grant grant(int first, int count) {
    return grant(first, count, new CompletableFuture<>());
  }

  Grant grant(int first, int count, CompletableFuture<GrantOutcome> ended) {
    return agent.grant(registered, range(first, count), LIFE, ended::complete).orElseThrow();
  }

  /** Writes blocks to those of the same index. */
  CompletableFuture<WriteOutcome> write(Grant grant, int first, int count) {
    final CompletableFuture<WriteOutcome> ended = new CompletableFuture<>();
    agent.write(
        grant,
        registered,
        range(first, count).stream().map(block -> new BlockMove(block, block)).toList(),
        ended::complete);
    return ended;
  }

  TransferStatus writeAndWait(Grant grant, int first, int count) throws Exception {
    return await(write(grant, first, count)).status();
  }

  static <T> T await(CompletableFuture<T> future) throws Exception {
    return future.get(20, TimeUnit.SECONDS);
  }

  private static List<Integer> range(int first, int count) {
    return IntStream.range(first, first + count).boxed().toList();
  }

  /** Whether these blocks are the same here and there. */
  boolean equals(TransferSide other, int first, int count) {
    final long from = (long) first * BLOCK_BYTES;
    final long length = (long) count * BLOCK_BYTES;
    return memory.asSlice(from, length).mismatch(other.memory.asSlice(from, length)) == -1;
  }

  @Override
  public void close() {
    agent.close();
    backend.close();
    arena.close();
  }
}
