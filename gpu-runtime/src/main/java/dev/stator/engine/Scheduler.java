package dev.stator.engine;

import dev.stator.engine.Room.Prefix;
import dev.stator.engine.Sequence.Kind;
import dev.stator.engine.Sequence.State;
import dev.stator.kv.BlockPool;
import dev.stator.kv.BlockTable;
import java.util.ArrayList;
import java.util.List;

/**
 * Decides which tokens of which sequences a step computes, and holds their blocks for them. Pure:
 * it never touches a tensor.
 *
 * <pre>
 *   step tokens:  │ one for each decoding sequence │ chunks of running and starting prompts │ drafts │
 *                   oldest first                     oldest first, while slots and blocks last
 * </pre>
 *
 * <ul>
 *   <li>A sequence starts with blocks for all tokens it has; only decoding takes further ones. When
 *       none is left, the newest running sequence that is newer than the one in need is preempted:
 *       it waits again, its full blocks stay cached. A sequence without newer ones waits for a step
 *       with what it holds.
 *   <li><b>Somebody always progresses.</b> Blocks that only the caller can let go of (reserved
 *       sequences', prefills') are <i>pinned</i>. Nothing is pinned, and no answer starts, unless
 *       each running answer alone would find all the blocks it may come to need among the others.
 *       So the oldest answer always has its block, and a prefill has all its blocks from its start.
 *   <li><b>Nothing is computed twice at a time.</b> A waiting sequence whose next block is just
 *       being computed by a running one is passed over; it starts once the block is there, or
 *       nobody computes it any more.
 * </ul>
 *
 * <p><b>Threads:</b> the engine's.
 */
final class Scheduler {
  private final EngineSettings settings;
  private final BlockPool pool;
  private final int blockSize;
  private final Speculation speculation;
  private final HostCache host;

  // Each by arrival, oldest first.
  private final List<Sequence> waiting = new ArrayList<>();
  private final List<Sequence> running = new ArrayList<>();
  private final List<Sequence> reserved = new ArrayList<>();
  private final List<Sequence> prefilled = new ArrayList<>();

  private final Room room;
  private final List<Sequence> batch = new ArrayList<>();
  private int budget; // Tokens left in the step that is being made.

  private long preemptions;
  private long queriedTokens;
  private long hitTokens;

  Scheduler(
      EngineSettings settings,
      BlockPool pool,
      int blockSize,
      Speculation speculation,
      HostCache host) {
    this.settings = settings;
    this.pool = pool;
    this.blockSize = blockSize;
    this.speculation = speculation;
    this.host = host;
    this.room = new Room(settings, pool, waiting, running, reserved);
  }

  // Coming and going.

  /** Puts a new sequence into the queue. */
  void enqueue(Sequence sequence) {
    insertByArrival(waiting, sequence);
  }

  /**
   * Takes the blocks of all tokens that a new sequence has, pinned until {@link #resume}; only if
   * all waiting sequences could still start in the next step, and each of them beside what is
   * pinned then, once the running ones have ended.
   *
   * @return {@code null}, or which limit refuses it; then nothing was taken
   */
  Admission.Refused reserve(Sequence sequence) {
    final Prefix prefix = find(sequence);
    final Admission.Refused refusal = room.toReserve(sequence, prefix);
    if (refusal != null) return refusal;
    hold(sequence, prefix, host.loadable(sequence, prefix.foundBlocks()));
    return null;
  }

  /** Takes the blocks of a sequence that cannot run yet, and has some of them copied there. */
  private void hold(Sequence sequence, Prefix prefix, int loadingBlocks) {
    sequence.loadingBlocks = loadingBlocks;
    takeBlocks(sequence, prefix);
    room.pin(sequence);
    sequence.state = State.RESERVED;
    insertByArrival(reserved, sequence);
    if (loadingBlocks > 0) host.load(sequence);
  }

  /**
   * Holds the blocks of a prefill that are all cached, pinned until its end.
   *
   * @return {@code null}, or which limit refuses it; then nothing was taken
   */
  Admission.Refused lend(Sequence sequence) {
    final Prefix prefix = find(sequence);
    final Admission.Refused refusal = room.toLend(sequence, prefix);
    if (refusal != null) return refusal;
    sequence.wasScheduled = true; // Never: a loan is no look-up of this engine's own.
    takeBlocks(sequence, prefix);
    room.pin(sequence);
    sequence.state = State.PREFILLED;
    insertByArrival(prefilled, sequence);
    return null;
  }

  /**
   * Starts a reserved sequence, once nothing is copied into its blocks any more; behind what was,
   * {@code filledBlockCount} have been written.
   */
  void resume(Sequence sequence, int filledBlockCount) {
    final int count = sequence.prefillBlocks() - sequence.publishedBlocks - sequence.loadingBlocks;
    if (filledBlockCount < 0 || filledBlockCount > count) {
      throw new IllegalArgumentException(
          filledBlockCount + " filled blocks of " + count + " reserved ones of " + sequence.id());
    }
    sequence.filledBehind = filledBlockCount;
    if (sequence.loadingBlocks > 0) return;
    publishNext(sequence, sequence.isLoadLost ? 0 : filledBlockCount);
    reserved.remove(sequence);
    if (sequence.kind() == Kind.ANSWER) room.unpin(sequence); // A prefill's owner reads its blocks.
    sequence.state = State.RUNNING;
    insertByArrival(running, sequence);
  }

  /** Nothing is copied into a reserved sequence's blocks any more. */
  void loaded(Sequence sequence, boolean isWhole) {
    final int count = sequence.loadingBlocks;
    sequence.loadingBlocks = 0;
    sequence.isLoadLost = !isWhole;
    if (isWhole) publishNext(sequence, count);
    if (sequence.endsWhenLoaded) end(sequence);
    else if (sequence.filledBehind >= 0) resume(sequence, sequence.filledBehind);
  }

  private void publishNext(Sequence sequence, int blockCount) {
    sequence.computed = (sequence.publishedBlocks + blockCount) * blockSize;
    sequence.fillBlocks(pool, sequence.computed);
    publishFullBlocks(sequence);
  }

  /** Computes nothing more of a running prefill, but keeps its blocks until its end. */
  void keepPrefilled(Sequence sequence) {
    if (sequence.state == State.PREFILLED) return;
    running.remove(sequence);
    sequence.state = State.PREFILLED;
    insertByArrival(prefilled, sequence);
  }

  /**
   * Ends a sequence in any state; its full blocks stay findable. One into whose blocks something is
   * copied ends after that.
   */
  void end(Sequence sequence) {
    sequence.endsWhenLoaded = sequence.loadingBlocks > 0;
    if (sequence.endsWhenLoaded) return;
    final List<Sequence> home = home(sequence.state);
    if (home != null) home.remove(sequence);
    room.unpin(sequence);
    sequence.table().releaseAll(pool);
    sequence.state = State.ENDED;
  }

  private List<Sequence> home(State state) {
    return switch (state) {
      case WAITING -> waiting;
      case RUNNING -> running;
      case RESERVED -> reserved;
      case PREFILLED -> prefilled;
      case ENDED -> null;
    };
  }

  // A step.

  /** The sequences of the next step, {@link Sequence#scheduled} saying how many tokens of each. */
  List<Sequence> schedule() {
    batch.clear();
    budget = settings.stepTokensMax();
    scheduleDecodes();
    schedulePrompts();
    // Each running and reserved sequence's next block is left, and all to those who wait.
    final int spare = pool.availableCount() - running.size() - reserved.size();
    speculation.draft(batch, budget, waiting.isEmpty() ? spare : 0);
    return batch;
  }

  private void scheduleDecodes() {
    for (int i = 0; i < running.size(); i++) {
      final Sequence sequence = running.get(i);
      if (sequence.isDecoding() && grow(sequence, i)) take(sequence, 1);
    }
  }

  /** Running prompts go on, waiting ones start, until the first of these has no room. */
  private void schedulePrompts() {
    boolean isFull = false;
    int nextRunning = 0;
    int nextWaiting = 0;
    while (budget > 0) {
      while (nextRunning < running.size() && running.get(nextRunning).isDecoding()) nextRunning++;
      final Sequence goesOn = nextRunning < running.size() ? running.get(nextRunning) : null;
      final Sequence starts =
          !isFull && nextWaiting < waiting.size() ? waiting.get(nextWaiting) : null;
      if (goesOn == null && starts == null) return;
      if (starts == null || (goesOn != null && goesOn.arrival() < starts.arrival())) {
        take(goesOn, chunk(goesOn));
        nextRunning++;
        continue;
      }
      switch (tryStart(starts)) {
        case STARTED -> nextRunning++; // It stands before the others that have not had a turn.
        case LOADS -> {} // It has left the queue.
        case AWAITS_A_BLOCK -> nextWaiting++;
        case NO_ROOM -> isFull = true; // Nobody overtakes for being smaller.
      }
    }
  }

  private enum Start {
    STARTED,
    LOADS,
    AWAITS_A_BLOCK,
    NO_ROOM
  }

  private Start tryStart(Sequence sequence) {
    if (sequence.awaitedBlock >= 0 && isOnItsWay(sequence, sequence.awaitedBlock)) {
      return Start.AWAITS_A_BLOCK;
    }
    final Prefix prefix = find(sequence);
    sequence.awaitedBlock = prefix.foundBlocks();
    if (isOnItsWay(sequence, prefix.foundBlocks())) return Start.AWAITS_A_BLOCK;
    if (room.toStart(sequence, prefix) != null) return Start.NO_ROOM;
    waiting.remove(sequence);
    if (load(sequence, prefix)) return Start.LOADS;
    start(sequence, prefix);
    take(sequence, chunk(sequence));
    return Start.STARTED;
  }

  /** Whether a sequence's next blocks are copied from the host; it goes on when they are there. */
  private boolean load(Sequence sequence, Prefix prefix) {
    final int count = host.loadable(sequence, prefix.foundBlocks());
    if (count == 0 || room.toLoad(sequence, prefix) != null) return false;
    sequence.filledBehind = 0;
    hold(sequence, prefix, count);
    return true;
  }

  private int chunk(Sequence sequence) {
    return Math.min(sequence.remaining(), Math.min(budget, settings.prefillChunkMax()));
  }

  private void take(Sequence sequence, int tokenCount) {
    sequence.fillBlocks(pool, sequence.computed + tokenCount);
    sequence.scheduled = tokenCount;
    budget -= tokenCount;
    batch.add(sequence);
  }

  /** Makes sure that a decoding sequence has a block for its next token. */
  private boolean grow(Sequence sequence, int runningIndex) {
    if (sequence.computed < sequence.table().count() * blockSize) return true;
    while (pool.availableCount() == 0) {
      if (!preemptNewestBehind(runningIndex)) return false;
    }
    sequence.table().append(pool.reserve());
    return true;
  }

  private boolean preemptNewestBehind(int runningIndex) {
    for (int i = running.size() - 1; i > runningIndex; i--) {
      final Sequence victim = running.get(i);
      if (victim.kind() == Kind.PREFILL) continue; // The caller reads its blocks.
      running.remove(i);
      victim.table().releaseAll(pool);
      victim.computed = 0;
      victim.publishedBlocks = 0;
      victim.filledBlocks = 0;
      victim.state = State.WAITING;
      insertByArrival(waiting, victim);
      preemptions++;
      return true;
    }
    return false;
  }

  private void start(Sequence sequence, Prefix prefix) {
    takeBlocks(sequence, prefix);
    if (sequence.kind() == Kind.PREFILL) room.pin(sequence);
    sequence.state = State.RUNNING;
    insertByArrival(running, sequence);
  }

  private void takeBlocks(Sequence sequence, Prefix prefix) {
    final BlockTable table = sequence.table();
    for (int i = 0; i < prefix.foundBlocks(); i++) {
      final int block = pool.find(sequence.hash(i));
      pool.acquire(block);
      table.append(block);
    }
    host.use(sequence, prefix.foundBlocks());
    while (table.count() < sequence.blocksNow()) table.append(pool.reserve());
    sequence.publishedBlocks = prefix.foundBlocks();
    sequence.filledBlocks = prefix.foundBlocks();
    sequence.computed = prefix.foundBlocks() * blockSize;
    if (!sequence.wasScheduled) {
      sequence.wasScheduled = true;
      sequence.cachedTokens = sequence.computed + sequence.loadingBlocks * blockSize;
      queriedTokens += sequence.length();
      hitTokens += sequence.cachedTokens;
    }
  }

  /** Counts a step's tokens of a sequence as computed and names the blocks that became full. */
  void commit(Sequence sequence) {
    sequence.computed += sequence.scheduled;
    sequence.scheduled = 0;
    publishFullBlocks(sequence);
  }

  /** Counts a draft that has been appended as computed. */
  void accept(Sequence sequence) {
    sequence.computed++;
    publishFullBlocks(sequence);
  }

  private void publishFullBlocks(Sequence sequence) {
    final BlockTable table = sequence.table();
    for (int i = sequence.publishedBlocks; i < sequence.computed / blockSize; i++) {
      final int parent = i == 0 ? BlockPool.NONE : table.block(i - 1);
      table.replace(i, pool.publish(table.block(i), parent, sequence.hash(i)));
      sequence.publishedBlocks = i + 1;
    }
  }

  // Rules.

  /** How many tokens' blocks a sequence would find now. */
  int foundTokens(Sequence sequence) {
    return find(sequence).foundBlocks() * blockSize;
  }

  private Prefix find(Sequence sequence) {
    int found = 0;
    int unused = 0;
    for (; found < sequence.prefillBlocks(); found++) {
      final int block = pool.find(sequence.hash(found));
      if (block == BlockPool.NONE) break;
      if (pool.isCached(block)) unused++;
    }
    return new Prefix(found, unused);
  }

  /** Whether another sequence's same block is being computed, or copied. */
  private boolean isOnItsWay(Sequence sequence, int blockIndex) {
    if (blockIndex >= sequence.prefillBlocks()) return false;
    for (Sequence other : running) {
      if (comesToHave(other, other.target() / blockSize, sequence, blockIndex)) return true;
    }
    for (Sequence other : reserved) {
      final int end = other.loadingBlocks == 0 ? 0 : other.publishedBlocks + other.loadingBlocks;
      if (comesToHave(other, end, sequence, blockIndex)) return true;
    }
    return false;
  }

  private static boolean comesToHave(Sequence other, int end, Sequence sequence, int blockIndex) {
    return other.publishedBlocks <= blockIndex
        && blockIndex < end
        && other.hash(blockIndex).equals(sequence.hash(blockIndex));
  }

  // What others ask.

  /** Whether a step would compute something. */
  boolean hasWork() {
    if (!running.isEmpty()) return true; // The oldest answer, or any prefill, progresses.
    for (Sequence sequence : waiting) {
      final Prefix prefix = find(sequence);
      if (isOnItsWay(sequence, prefix.foundBlocks())) continue; // Copies, which end by themselves.
      return room.toStart(sequence, prefix) == null;
    }
    return false;
  }

  int waitingCount() {
    return waiting.size();
  }

  int runningCount() {
    return running.size();
  }

  int reservedCount() {
    return reserved.size();
  }

  int prefilledCount() {
    return prefilled.size();
  }

  /** All tokens of the sequences in the queue. */
  long queuedTokens() {
    long sum = 0;
    for (Sequence sequence : waiting) sum += sequence.length();
    return sum;
  }

  /** Tokens to be computed before the next choice, of waiting and running sequences. */
  long remainingPromptTokens() {
    long sum = 0;
    for (Sequence sequence : waiting) sum += sequence.remaining();
    for (Sequence sequence : running) {
      if (!sequence.isDecoding()) sum += sequence.remaining();
    }
    return sum;
  }

  long preemptions() {
    return preemptions;
  }

  long queriedTokens() {
    return queriedTokens;
  }

  long hitTokens() {
    return hitTokens;
  }

  /** Who starts next; {@code null} when nobody waits. */
  Sequence queueHead() {
    return waiting.isEmpty() ? null : waiting.getFirst();
  }

  /** Whether a sequence waits for a block that another one computes. */
  boolean awaitsABlock(Sequence sequence) {
    return isOnItsWay(sequence, find(sequence).foundBlocks());
  }

  /** Blocks of sequences that have ended but for copies into these. */
  List<BlockTable> endingTables() {
    return reserved.stream().filter(s -> s.endsWhenLoaded).map(Sequence::table).toList();
  }

  int pinnedBlocks() {
    return room.pinnedBlocks();
  }

  private static void insertByArrival(List<Sequence> list, Sequence sequence) {
    int i = list.size();
    while (i > 0 && list.get(i - 1).arrival() > sequence.arrival()) i--;
    list.add(i, sequence);
  }
}
