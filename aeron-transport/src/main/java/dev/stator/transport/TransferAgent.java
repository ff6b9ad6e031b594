package dev.stator.transport;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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
 *       pass the outcome on. What they throw is logged, and ends nothing else.
 *   <li><b>Ownership:</b> granted blocks are the writer's from {@link #grant} until the outcome,
 *       source blocks are the agent's from {@link #write} until the outcome.
 *   <li><b>Bounds:</b> {@link TransferSettings}. Over a limit nothing is taken.
 * </ul>
 */
public final class TransferAgent implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TransferAgent.class);

  private final AgentAddress address;
  private final TransferSettings settings;
  private final TransferBackend backend;
  private final LongSupplier nanoClock;
  private final TransferCounters counters = new TransferCounters();
  private final Map<Integer, RegisteredMemory> memories = new ConcurrentHashMap<>();
  private final GrantBook grants;
  private final ExportBook exports;
  private final BlockReads reads;
  private final Map<Long, PostedWrite> writes = new ConcurrentHashMap<>();
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
    this.settings = settings;
    this.backend = backend;
    this.nanoClock = nanoClock;
    this.grants = new GrantBook(settings, counters, nanoClock, nextId::getAndIncrement, random);
    this.exports = new ExportBook(settings, nanoClock, nextId::getAndIncrement, random);
    final Sink sink = new Sink();
    this.address = new AgentAddress(name, HostId.current(), backend.attach(name, sink));
    this.reads = new BlockReads(address, backend, settings, counters, grants, exports, this::write);
    sink.reads.complete(reads);
  }

  public String name() {
    return address.agent();
  }

  /** What others need to reach this agent; every grant carries it. */
  public AgentAddress address() {
    return address;
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
   * Ends its grants and writes and waits for the copies under way, a batch of blocks each, and for
   * other processes to let go of a device's; afterwards nobody touches the memory. Unknown ids are
   * ignored.
   */
  public void deregister(int memoryId) {
    final RegisteredMemory memory = memories.remove(memoryId);
    if (memory == null) return;
    endAll(memory);
    memory.close();
    endAll(memory); // What slipped in before the memory was closed.
  }

  private void endAll(RegisteredMemory memory) {
    grants.endAll(memory);
    exports.endAll(memory);
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
    return grants.open(
        address,
        memory(memoryId),
        blocks,
        life,
        grant -> {},
        (outcome, arrived) -> tell(listener, outcome));
  }

  /** Ends a grant; its outcome follows when nobody writes any more. Unknown ids are ignored. */
  public void revoke(long grantId) {
    grants.end(grantId, GrantOutcome.Ending.REVOKED);
  }

  /**
   * Ends the grants, exports, reads and writes that touch any of these blocks: for who finds that
   * their user is gone.
   *
   * @return how many of them are not over, because a block is just being copied; ask again later
   */
  public int withdraw(int memoryId, Set<Integer> blocks) {
    final RegisteredMemory memory = memories.get(memoryId);
    if (memory == null) return 0;
    exports.withdraw(memory, blocks); // First: each write of a read belongs to one.
    for (PostedWrite write : writes.values()) {
      if (write.touches(memory, blocks)) write.withdraw(TransferStatus.CANCELLED);
    }
    final long writesLeft =
        writes.values().stream().filter(write -> write.touches(memory, blocks)).count();
    return grants.withdraw(memory, blocks)
        + exports.withdraw(memory, blocks)
        + Math.toIntExact(writesLeft);
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
    return write(grant, memory(memoryId), moves, listener);
  }

  private long write(
      Grant grant,
      RegisteredMemory memory,
      List<BlockMove> moves,
      Consumer<WriteOutcome> listener) {
    final long id = nextId.getAndIncrement();
    final TransferStatus trouble = check(grant, memory, moves);
    if (trouble != TransferStatus.OK) {
      tell(listener, new WriteOutcome(id, trouble, 0, moves));
      return id;
    }
    final Consumer<WriteOutcome> onEnd =
        outcome -> {
          writes.remove(outcome.writeId());
          inFlightBlocks.addAndGet(-moves.size());
          counters.sent(outcome.writtenBlocks() * memory.geometry().blockBytes());
          tell(listener, outcome);
        };
    final long deadlineNs = nanoClock.getAsLong() + settings.writeTimeout().toNanos();
    final PostedWrite write = new PostedWrite(id, grant, memory, moves, deadlineNs, onEnd);
    writes.put(id, write);
    final List<BlockWrite> blocks = write.blocks();
    final int taken = backend.offerAll(blocks);
    for (BlockWrite refused : blocks.subList(taken, blocks.size())) {
      refused.complete(TransferStatus.BACK_PRESSURED);
    }
    return id;
  }

  /**
   * Exports blocks to be read, as often as wanted.
   *
   * @param blocks distinct; not to be written to until the outcome
   * @param listener called once, when the export has ended and nothing of it is being read
   * @return empty when a limit of exports stands in the way
   * @throws IllegalArgumentException for an unknown memory, or blocks that are not in it
   */
  public Optional<Export> export(
      int memoryId, List<Integer> blocks, Duration life, Consumer<ExportOutcome> listener) {
    return exports.open(
        address, memory(memoryId), blocks, life, outcome -> tell(listener, outcome));
  }

  /** Ends an export; its outcome follows when nothing is being read. Unknown ids are ignored. */
  public void unexport(long exportId) {
    exports.end(exportId, GrantOutcome.Ending.REVOKED);
  }

  /**
   * Reads exported blocks into a registered memory. A read that failed may be posted again with
   * what is missing.
   *
   * @param moves from the export's blocks to distinct blocks of the memory, which are the agent's
   *     until the outcome
   * @param listener called once, when all has arrived and verified, or none of it will; before this
   *     returns when nothing was asked for
   * @return names the read for {@link #cancel}
   * @throws IllegalArgumentException for an unknown memory, no moves, or targets that are not
   *     distinct blocks of the memory
   */
  public long read(
      Export export, int memoryId, List<BlockMove> moves, Consumer<ReadOutcome> listener) {
    if (moves.isEmpty()) throw new IllegalArgumentException("a read needs a block");
    final long id = nextId.getAndIncrement();
    reads.read(id, export, memory(memoryId), moves, outcome -> tell(listener, outcome));
    return id;
  }

  /** Others have to be told, too, whatever this listener does. */
  private static <T> void tell(Consumer<T> listener, T outcome) {
    try {
      listener.accept(outcome);
    } catch (RuntimeException | Error bug) {
      LOG.error("Not taken by its listener: {}", outcome, bug);
    }
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
    final Optional<String> refusal = memory.geometry().refusal(grant.geometry());
    if (refusal.isPresent()) {
      LOG.warn("Not written to {}: {}", grant.agent().agent(), refusal.get());
      return TransferStatus.WRONG_GEOMETRY;
    }
    for (BlockMove move : moves) {
      if (!memory.contains(move.sourceBlock())) return TransferStatus.OUT_OF_RANGE;
    }
    if (inFlightBlocks.addAndGet(moves.size()) > settings.inFlightBlocksMax()) {
      inFlightBlocks.addAndGet(-moves.size());
      return TransferStatus.BACK_PRESSURED;
    }
    return TransferStatus.OK;
  }

  /** Withdraws a write or read; the outcome follows when nobody touches its blocks any more. */
  public void cancel(long id) {
    final PostedWrite write = writes.get(id);
    if (write != null) write.withdraw(TransferStatus.CANCELLED);
    else reads.cancel(id);
  }

  /** Ends overdue grants and writes; returns how many. Call it every poll interval. */
  public int poll() {
    final long nowNs = nanoClock.getAsLong();
    int ended = grants.poll() + exports.poll();
    for (PostedWrite write : writes.values()) {
      if (!write.isOverdue(nowNs)) continue;
      write.withdraw(TransferStatus.TIMED_OUT);
      ended++;
    }
    return ended;
  }

  public TransferStats stats() {
    return new TransferStats(
        grants.openCount(),
        exports.openCount(),
        inFlightBlocks.get(),
        counters.sentBytes(),
        counters.receivedBytes(),
        counters.rejected());
  }

  /** Ends all grants and writes; nothing reaches this agent any more. */
  @Override
  public void close() {
    backend.detach(name());
    for (int memoryId : List.copyOf(memories.keySet())) deregister(memoryId);
  }

  private RegisteredMemory memory(int memoryId) {
    final RegisteredMemory memory = memories.get(memoryId);
    if (memory == null) throw new IllegalArgumentException("no registered memory " + memoryId);
    return memory;
  }

  /** What backends bring. */
  private final class Sink implements BlockSink {
    private final CompletableFuture<BlockReads> reads = new CompletableFuture<>();

    @Override
    public BlockLanding begin(
        long grantId, long keyHigh, long keyLow, int targetBlock, long blockBytes) {
      return grants.begin(grantId, keyHigh, keyLow, targetBlock, blockBytes);
    }

    @Override
    public List<TransferStatus> deliverAll(List<BlockDelivery> deliveries) {
      return grants.deliverAll(deliveries);
    }

    @Override
    public TransferStatus deliver(StraightDelivery delivery) {
      return grants.deliver(delivery);
    }

    @Override
    public List<PulledBlock> pullAll(PeerPool from, List<BlockPull> pulls) {
      return grants.pullAll(from, pulls);
    }

    @Override
    public void receive(MemorySegment message) {
      reads.thenAccept(there -> there.receive(message));
    }
  }
}
