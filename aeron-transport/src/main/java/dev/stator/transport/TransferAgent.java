package dev.stator.transport;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/**
 * Moves KV blocks between registered memories. The side that receives grants the right to write
 * into named blocks; the side that has the bytes writes; each hears once how it ended.
 *
 * <pre>
 *   receiver: register ─ grant ──────────────(Grant over the control plane)──▶ writer: register ─ write
 *             GrantOutcome ◀── all arrived │ revoked │ expired                          WriteOutcome ◀──
 * </pre>
 *
 * <ul>
 *   <li><b>Threads:</b> any. Listeners are called on the thread that ended the matter; they only
 *       pass the outcome on.
 *   <li><b>Ownership:</b> granted blocks are the writer's from {@link #grant} until the outcome,
 *       source blocks are the agent's from {@link #write} until the outcome.
 *   <li><b>Bounds:</b> {@link TransferSettings}. Over a limit nothing is taken.
 * </ul>
 */
public final class TransferAgent implements AutoCloseable {
  private final String name;
  private final TransferSettings settings;
  private final TransferBackend backend;
  private final LongSupplier nanoClock;
  private final RandomGenerator random;
  private final TransferCounters counters = new TransferCounters();
  private final Map<Integer, RegisteredMemory> memories = new ConcurrentHashMap<>();
  private final Map<Long, OpenGrant> grants = new ConcurrentHashMap<>();
  private final Map<Long, PostedWrite> writes = new ConcurrentHashMap<>();
  private final AtomicInteger openGrants = new AtomicInteger();
  private final AtomicInteger inFlightBlocks = new AtomicInteger();
  private final AtomicInteger nextMemoryId = new AtomicInteger();
  private final AtomicLong nextId = new AtomicLong();

  /**
   * @param name unique among the agents that the backend reaches
   * @param backend used, not owned
   * @param random makes grant keys; a secure one wherever writers are not trusted
   */
  public TransferAgent(
      String name,
      TransferSettings settings,
      TransferBackend backend,
      LongSupplier nanoClock,
      RandomGenerator random) {
    this.name = name;
    this.settings = settings;
    this.backend = backend;
    this.nanoClock = nanoClock;
    this.random = random;
    backend.attach(name, this::deliver);
  }

  public String name() {
    return name;
  }

  /** Lets blocks of this memory be granted and written from; returns its id at this agent. */
  public int register(BlockMemory memory) {
    final int id = nextMemoryId.getAndIncrement();
    memories.put(id, new RegisteredMemory(id, memory));
    return id;
  }

  /** {@link #register(BlockMemory)} of one region, cut into blocks. */
  public int register(MemorySegment region, long blockBytes) {
    return register(BlockMemory.of(region, blockBytes));
  }

  /**
   * Ends its grants and writes and waits for the copies under way, a block each; afterwards nobody
   * touches the memory. Unknown ids are ignored.
   */
  public void deregister(int memoryId) {
    final RegisteredMemory memory = memories.remove(memoryId);
    if (memory == null) return;
    endAll(memory);
    memory.close();
    endAll(memory); // What slipped in before the memory was closed.
  }

  private void endAll(RegisteredMemory memory) {
    for (OpenGrant open : grants.values()) {
      if (open.memory() == memory) open.end(GrantOutcome.Ending.CLOSED);
    }
    for (PostedWrite write : writes.values()) {
      if (write.memory() == memory) write.withdraw(TransferStatus.CANCELLED);
    }
  }

  /**
   * Grants the right to write these blocks, each once.
   *
   * @param blocks distinct, in the order in which they count as contiguous
   * @param listener called once, when the grant has ended
   * @return empty when a limit of grants stands in the way
   * @throws IllegalArgumentException for an unknown memory, or blocks that are not in it
   */
  public Optional<Grant> grant(
      int memoryId, List<Integer> blocks, Duration life, Consumer<GrantOutcome> listener) {
    final RegisteredMemory memory = memory(memoryId);
    if (new HashSet<>(blocks).size() != blocks.size()) {
      throw new IllegalArgumentException("a block is granted twice: " + blocks);
    }
    for (int block : blocks) {
      if (!memory.contains(block)) throw new IllegalArgumentException("no such block: " + block);
    }
    if (blocks.size() > settings.grantBlocksMax()) return Optional.empty();
    if (openGrants.incrementAndGet() > settings.grantsMax()) {
      openGrants.decrementAndGet();
      return Optional.empty();
    }
    final Grant grant =
        new Grant(
            name,
            nextId.getAndIncrement(),
            random.nextLong(),
            random.nextLong(),
            blocks,
            memory.blockBytes(),
            life);
    final Consumer<GrantOutcome> onEnd =
        outcome -> {
          grants.remove(outcome.grantId());
          openGrants.decrementAndGet();
          listener.accept(outcome);
        };
    grants.put(
        grant.id(), new OpenGrant(grant, memory, nanoClock.getAsLong() + life.toNanos(), onEnd));
    return Optional.of(grant);
  }

  /** Ends a grant; its outcome follows when nobody writes any more. Unknown ids are ignored. */
  public void revoke(long grantId) {
    final OpenGrant open = grants.get(grantId);
    if (open != null) open.end(GrantOutcome.Ending.REVOKED);
  }

  /**
   * Ends the grants and writes that touch any of these blocks: for who finds that their user is
   * gone.
   *
   * @return how many of them are not over, because a block is just being copied; ask again later
   */
  public int withdraw(int memoryId, Set<Integer> blocks) {
    final RegisteredMemory memory = memories.get(memoryId);
    if (memory == null) return 0;
    for (OpenGrant open : grants.values()) {
      if (open.touches(memory, blocks)) open.end(GrantOutcome.Ending.REVOKED);
    }
    for (PostedWrite write : writes.values()) {
      if (write.touches(memory, blocks)) write.withdraw(TransferStatus.CANCELLED);
    }
    final long left =
        grants.values().stream().filter(open -> open.touches(memory, blocks)).count()
            + writes.values().stream().filter(write -> write.touches(memory, blocks)).count();
    return Math.toIntExact(left);
  }

  /**
   * Writes blocks of a registered memory into granted blocks, wherever they are; each block may
   * travel in a write of its own.
   *
   * @param listener called once; with {@link TransferStatus#BACK_PRESSURED} before this returns
   *     when too much is on its way
   * @return names the write for {@link #cancel}
   * @throws IllegalArgumentException for an unknown memory or no moves
   */
  public long write(
      Grant grant, int memoryId, List<BlockMove> moves, Consumer<WriteOutcome> listener) {
    if (moves.isEmpty()) throw new IllegalArgumentException("a write needs a block");
    final RegisteredMemory memory = memory(memoryId);
    final long id = nextId.getAndIncrement();
    final TransferStatus trouble = check(grant, memory, moves);
    if (trouble != TransferStatus.OK) {
      listener.accept(new WriteOutcome(id, trouble, 0, moves));
      return id;
    }
    final Consumer<WriteOutcome> onEnd =
        outcome -> {
          writes.remove(outcome.writeId());
          inFlightBlocks.addAndGet(-moves.size());
          counters.sent(outcome.writtenBlocks() * memory.blockBytes());
          listener.accept(outcome);
        };
    final long deadlineNs = nanoClock.getAsLong() + settings.writeTimeout().toNanos();
    final PostedWrite write = new PostedWrite(id, grant, memory, moves, deadlineNs, onEnd);
    writes.put(id, write);
    for (BlockWrite block : write.blocks()) {
      if (!backend.offer(block)) block.complete(TransferStatus.BACK_PRESSURED);
    }
    return id;
  }

  /** Pause between two calls of {@link #poll}. */
  public Duration pollInterval() {
    return settings.pollInterval();
  }

  /** Blocks that may be on their way at once; a write of more is always pushed back. */
  public int inFlightBlocksMax() {
    return settings.inFlightBlocksMax();
  }

  private TransferStatus check(Grant grant, RegisteredMemory memory, List<BlockMove> moves) {
    if (grant.blockBytes() != memory.blockBytes()) return TransferStatus.WRONG_LENGTH;
    for (BlockMove move : moves) {
      if (!memory.contains(move.sourceBlock())) return TransferStatus.OUT_OF_RANGE;
    }
    if (inFlightBlocks.addAndGet(moves.size()) > settings.inFlightBlocksMax()) {
      inFlightBlocks.addAndGet(-moves.size());
      return TransferStatus.BACK_PRESSURED;
    }
    return TransferStatus.OK;
  }

  /** Withdraws what has not arrived; the outcome follows when nobody reads any more. */
  public void cancel(long writeId) {
    final PostedWrite write = writes.get(writeId);
    if (write != null) write.withdraw(TransferStatus.CANCELLED);
  }

  /** Ends overdue grants and writes; returns how many. Call it every poll interval. */
  public int poll() {
    final long nowNs = nanoClock.getAsLong();
    int ended = 0;
    for (OpenGrant open : grants.values()) {
      if (open.isOverdue(nowNs) && open.end(GrantOutcome.Ending.EXPIRED)) ended++;
    }
    for (PostedWrite write : writes.values()) {
      if (!write.isOverdue(nowNs)) continue;
      write.withdraw(TransferStatus.TIMED_OUT);
      ended++;
    }
    return ended;
  }

  public TransferStats stats() {
    return new TransferStats(
        openGrants.get(),
        inFlightBlocks.get(),
        counters.sentBytes(),
        counters.receivedBytes(),
        counters.rejected());
  }

  /** Ends all grants and writes; nothing reaches this agent any more. */
  @Override
  public void close() {
    backend.detach(name);
    for (int memoryId : List.copyOf(memories.keySet())) deregister(memoryId);
  }

  private RegisteredMemory memory(int memoryId) {
    final RegisteredMemory memory = memories.get(memoryId);
    if (memory == null) throw new IllegalArgumentException("no registered memory " + memoryId);
    return memory;
  }

  private TransferStatus deliver(
      long grantId, long keyHigh, long keyLow, int targetBlock, int checksum, MemorySegment bytes) {
    final OpenGrant open = grants.get(grantId);
    if (open == null) return counters.rejected(TransferStatus.UNKNOWN_GRANT);
    if (!open.opensWith(keyHigh, keyLow)) return counters.rejected(TransferStatus.WRONG_KEY);
    if (open.isOverdue(nanoClock.getAsLong())) {
      open.end(GrantOutcome.Ending.EXPIRED);
      return counters.rejected(TransferStatus.UNKNOWN_GRANT);
    }
    if (bytes.byteSize() != open.grant().blockBytes()) {
      return counters.rejected(TransferStatus.WRONG_LENGTH);
    }
    final TransferStatus begun = open.begin(targetBlock);
    if (begun == TransferStatus.OK) return begun; // A repeat of what is there, verified.
    if (begun != null) return counters.rejected(begun);
    return fill(open, targetBlock, checksum, bytes);
  }

  private TransferStatus fill(OpenGrant open, int targetBlock, int checksum, MemorySegment bytes) {
    final long stamp = open.memory().enter();
    if (stamp == 0) {
      open.finish(targetBlock, false);
      return counters.rejected(TransferStatus.UNKNOWN_GRANT);
    }
    boolean verified = false;
    try {
      final MemorySegment target = open.memory().block(targetBlock);
      target.copyFrom(bytes);
      verified = Checksums.crc32c(target) == checksum;
    } finally {
      open.memory().leave(stamp);
      if (verified) counters.received(bytes.byteSize());
      open.finish(targetBlock, verified);
    }
    return verified ? TransferStatus.OK : counters.rejected(TransferStatus.BAD_CHECKSUM);
  }
}
