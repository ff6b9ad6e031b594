package dev.stator.transport;

import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/** The grants that one agent has given. <b>Threads:</b> any. */
final class GrantBook {
  private final TransferSettings settings;
  private final TransferCounters counters;
  private final LongSupplier nanoClock;
  private final LongSupplier ids;
  private final RandomGenerator random;
  private final Map<Long, OpenGrant> grants = new ConcurrentHashMap<>();
  private final AtomicInteger openCount = new AtomicInteger();

  GrantBook(
      TransferSettings settings,
      TransferCounters counters,
      LongSupplier nanoClock,
      LongSupplier ids,
      RandomGenerator random) {
    this.settings = settings;
    this.counters = counters;
    this.nanoClock = nanoClock;
    this.ids = ids;
    this.random = random;
  }

  /**
   * Opens a grant.
   *
   * @param onOpen called before anybody can write
   * @param listener called once, with the positions in {@code blocks} of what has arrived
   */
  Optional<Grant> open(
      AgentAddress agent,
      RegisteredMemory memory,
      List<Integer> blocks,
      Duration life,
      Consumer<Grant> onOpen,
      BiConsumer<GrantOutcome, BitSet> listener) {
    memory.requireDistinct(blocks);
    if (blocks.size() > settings.grantBlocksMax()) return Optional.empty();
    if (openCount.incrementAndGet() > settings.grantsMax()) {
      openCount.decrementAndGet();
      return Optional.empty();
    }
    final Grant grant =
        new Grant(
            agent,
            ids.getAsLong(),
            random.nextLong(),
            random.nextLong(),
            blocks,
            memory.geometry(),
            life);
    final BiConsumer<GrantOutcome, BitSet> onEnd =
        (outcome, arrived) -> {
          grants.remove(outcome.grantId());
          openCount.decrementAndGet();
          listener.accept(outcome, arrived);
        };
    onOpen.accept(grant);
    grants.put(
        grant.id(), new OpenGrant(grant, memory, nanoClock.getAsLong() + life.toNanos(), onEnd));
    return Optional.of(grant);
  }

  /** Ignores unknown ids. */
  void end(long grantId, GrantOutcome.Ending why) {
    final OpenGrant open = grants.get(grantId);
    if (open != null) open.end(why);
  }

  boolean opens(long grantId, long keyHigh, long keyLow) {
    final OpenGrant open = grants.get(grantId);
    return open != null && open.opensWith(keyHigh, keyLow);
  }

  void endAll(RegisteredMemory memory) {
    for (OpenGrant open : grants.values()) {
      if (open.memory() == memory) open.end(GrantOutcome.Ending.CLOSED);
    }
  }

  /** Ends the grants of any of these blocks; returns how many of them are not over. */
  int withdraw(RegisteredMemory memory, Set<Integer> blocks) {
    for (OpenGrant open : grants.values()) {
      if (open.touches(memory, blocks)) open.end(GrantOutcome.Ending.REVOKED);
    }
    return (int) grants.values().stream().filter(open -> open.touches(memory, blocks)).count();
  }

  /** Ends what is overdue; returns how many. */
  int poll() {
    final long nowNs = nanoClock.getAsLong();
    int ended = 0;
    for (OpenGrant open : grants.values()) {
      if (open.isOverdue(nowNs) && open.end(GrantOutcome.Ending.EXPIRED)) ended++;
    }
    return ended;
  }

  int openCount() {
    return openCount.get();
  }

  Landing begin(long grantId, long keyHigh, long keyLow, int targetBlock, long blockBytes) {
    final OpenGrant open = grants.get(grantId);
    return new Landing(
        open,
        targetBlock,
        refusal(open, keyHigh, keyLow, blockBytes, nanoClock.getAsLong()),
        counters,
        nanoClock);
  }

  private static TransferStatus refusal(
      OpenGrant open, long keyHigh, long keyLow, long blockBytes, long nowNs) {
    if (open == null) return TransferStatus.UNKNOWN_GRANT;
    if (!open.opensWith(keyHigh, keyLow)) return TransferStatus.WRONG_KEY;
    if (open.isOverdue(nowNs)) {
      open.end(GrantOutcome.Ending.EXPIRED);
      return TransferStatus.UNKNOWN_GRANT;
    }
    if (blockBytes != open.grant().geometry().blockBytes()) return TransferStatus.WRONG_LENGTH;
    return null;
  }

  /** As {@link BlockSink#deliverAll}: what stands together for one grant is entered together. */
  List<TransferStatus> deliverAll(List<BlockDelivery> deliveries) {
    final List<TransferStatus> ends = new ArrayList<>(deliveries.size());
    for (int from = 0; from < deliveries.size(); from = ends.size()) {
      final long grantId = deliveries.get(from).grantId();
      int to = from + 1;
      while (to < deliveries.size() && deliveries.get(to).grantId() == grantId) to++;
      Collections.addAll(ends, deliver(grants.get(grantId), deliveries.subList(from, to)));
    }
    return ends;
  }

  /** As {@link BlockSink#deliver(StraightDelivery)}. */
  TransferStatus deliver(StraightDelivery delivery) {
    final OpenGrant open = grants.get(delivery.grantId());
    final TransferStatus refused =
        refusal(
            open,
            delivery.keyHigh(),
            delivery.keyLow(),
            delivery.blockBytes(),
            nanoClock.getAsLong());
    final TransferStatus end =
        refused == null ? new StraightBlock(open, delivery, counters).deliver() : refused;
    if (end != null && end != TransferStatus.OK) counters.rejected(end);
    return end;
  }

  /** As {@link BlockSink#pullAll}. */
  List<PulledBlock> pullAll(PeerPool from, List<BlockPull> pulls) {
    final long nowNs = nanoClock.getAsLong();
    final List<PulledLanding> landings = new ArrayList<>(pulls.size());
    for (BlockPull pull : pulls) {
      final OpenGrant open = grants.get(pull.grantId());
      final TransferStatus refused =
          refusal(open, pull.keyHigh(), pull.keyLow(), pull.blockBytes(), nowNs);
      landings.add(new PulledLanding(open, pull, refused, counters, nanoClock));
    }
    new Pulls(from).pullAll(landings);
    return List.copyOf(landings);
  }

  private TransferStatus[] deliver(OpenGrant open, List<BlockDelivery> deliveries) {
    final TransferStatus[] ends = new TransferStatus[deliveries.size()];
    final long nowNs = nanoClock.getAsLong();
    for (int i = 0; i < ends.length; i++) {
      final BlockDelivery each = deliveries.get(i);
      ends[i] = refusal(open, each.keyHigh(), each.keyLow(), each.bytes().byteSize(), nowNs);
    }
    if (open != null)
      new WholeBlocks(open, deliveries, ends, counters, settings.kernels()).deliver();
    for (TransferStatus end : ends) if (end != TransferStatus.OK) counters.rejected(end);
    return ends;
  }
}
