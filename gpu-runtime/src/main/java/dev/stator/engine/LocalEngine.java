package dev.stator.engine;

import dev.stator.device.Device;
import dev.stator.device.StepInput;
import dev.stator.device.StepOutput;
import dev.stator.engine.Sequence.Kind;
import dev.stator.kv.BlockHasher;
import dev.stator.kv.BlockPool;
import dev.stator.kv.BlockTable;
import dev.stator.kv.KvEvent;
import dev.stator.model.grammar.ConstraintCompiler;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The engine on a device of this process: {@code schedule -> run -> commit}.
 *
 * <p><b>Threads:</b> one owns it; {@link Device#run} is called on it. <b>Ownership:</b> the device
 * is the caller's to close, after the last call here.
 */
public final class LocalEngine implements Engine {
  private final Device device;
  private final Limits limits;
  private final Set<Integer> endTokenIds;
  private final ConstraintCompiler constraints; // Null where none can be kept.
  private final BlockHasher hasher;
  private final BlockPool pool;
  private final Speculation speculation;
  private final HostCache host;
  private final Scheduler scheduler;
  private final Sampler sampler;
  private final Map<RequestId, Sequence> sequences = new HashMap<>();
  private long arrivals;
  private long begunArrivals = Long.MIN_VALUE; // Before all others.
  private long steps;
  private long computedTokens;

  /** An engine that refuses constraints. */
  public LocalEngine(Device device, EngineSettings settings, Set<Integer> endTokenIds) {
    this(device, settings, endTokenIds, null);
  }

  /**
   * @param endTokenIds tokens with which the model ends an answer
   * @param constraints for this engine alone; {@code null} refuses requests with constraints
   */
  public LocalEngine(
      Device device,
      EngineSettings settings,
      Set<Integer> endTokenIds,
      ConstraintCompiler constraints) {
    final int blockSize = device.kvLayout().blockSize();
    for (int token : endTokenIds) {
      if (token < 0 || token >= device.vocabularySize()) {
        throw new IllegalArgumentException(
            "end token " + token + " of a vocabulary of " + device.vocabularySize());
      }
    }
    this.device = device;
    this.limits = new Limits(settings, device);
    this.endTokenIds = Set.copyOf(endTokenIds);
    this.constraints = constraints;
    this.hasher = new BlockHasher(device.numericsFingerprint(), blockSize);
    this.pool = new BlockPool(device.blockCount());
    this.speculation = new Speculation(settings.speculation(), pool, blockSize);
    this.host = new HostCache(device.hostBlocks(), pool, settings.hostTier());
    this.scheduler = new Scheduler(settings, pool, blockSize, speculation, host);
    this.sampler = new Sampler(device.vocabularySize());
  }

  @Override
  public Device device() {
    return device;
  }

  @Override
  public Admission submit(GenerationRequest request) {
    return enqueue(request, Kind.ANSWER);
  }

  @Override
  public Admission prefill(GenerationRequest request) {
    return enqueue(request, Kind.PREFILL);
  }

  private Admission enqueue(GenerationRequest request, Kind kind) {
    final Admission.Refused refusal = refusal(request, kind);
    if (refusal != null) return refusal;
    final Sequence sequence = newSequence(request, kind);
    sequences.put(request.id(), sequence);
    scheduler.enqueue(sequence);
    return new Admission.Admitted(scheduler.foundTokens(sequence), List.of());
  }

  @Override
  public Admission reserve(GenerationRequest request) {
    final Admission.Refused refusal = refusal(request, Kind.ANSWER);
    if (refusal != null) return refusal;
    final Sequence sequence = newSequence(request, Kind.ANSWER);
    final Admission.Refused noRoom = scheduler.reserve(sequence);
    if (noRoom != null) return noRoom;
    sequences.put(request.id(), sequence);
    return new Admission.Admitted(
        sequence.cachedTokens,
        blocks(
            sequence, sequence.publishedBlocks + sequence.loadingBlocks, sequence.prefillBlocks()));
  }

  @Override
  public Admission lend(GenerationRequest request) {
    final Admission.Refused refusal = refusal(request, Kind.PREFILL);
    if (refusal != null) return refusal;
    final int found = scheduler.foundTokens(newSequence(request, Kind.PREFILL));
    if (found == 0) return new Admission.Admitted(0, List.of());
    final Sequence sequence = newSequence(behind(request, found), Kind.PREFILL);
    final Admission.Refused noRoom = scheduler.lend(sequence);
    if (noRoom != null) return noRoom;
    sequences.put(request.id(), sequence);
    return new Admission.Admitted(found, blocks(sequence, 0, sequence.prefillBlocks()));
  }

  /** The first tokens of a request, and one more, which no block before it holds. */
  private static GenerationRequest behind(GenerationRequest request, int tokenCount) {
    return new GenerationRequest(
        request.id(),
        Arrays.copyOf(request.tokens(), tokenCount + 1),
        Math.min(request.promptLength(), tokenCount + 1),
        request.sampling(),
        request.cacheSalt(),
        request.pooling());
  }

  private Admission.Refused refusal(GenerationRequest request, Kind kind) {
    final boolean isConstrained = !request.sampling().constraint().isEmpty();
    if (kind == Kind.ANSWER && isConstrained && constraints == null) {
      return new Admission.Refused("engine.constraints", 1, 0, false);
    }
    return limits.refusal(request, kind, sequences, scheduler);
  }

  private Sequence newSequence(GenerationRequest request, Kind kind) {
    final LogitRules rules = LogitRules.of(request.sampling(), endTokenIds);
    final String text = request.sampling().constraint();
    final ConstrainedAnswer constraint =
        kind == Kind.PREFILL || text.isEmpty()
            ? null
            : new ConstrainedAnswer(constraints.compile(text), rules, endTokenIds);
    final int lengthMax = limits.lengthMax(request);
    final long arrival = Limits.hasBegun(request, kind) ? begunArrivals++ : arrivals++;
    return new Sequence(request, kind, arrival, lengthMax, rules, constraint, hasher);
  }

  @Override
  public void resume(RequestId id, int filledBlockCount) {
    final Sequence sequence = sequences.get(id);
    if (sequence == null || sequence.state != Sequence.State.RESERVED) return;
    if (sequence.filledBehind >= 0) return; // It goes on by itself.
    scheduler.resume(sequence, filledBlockCount);
  }

  @Override
  public void release(RequestId id) {
    final Sequence sequence = sequences.get(id);
    if (sequence != null && sequence.kind() == Kind.PREFILL) end(sequence);
  }

  @Override
  public boolean cancel(RequestId id) {
    final Sequence sequence = sequences.get(id);
    if (sequence == null) return false;
    end(sequence);
    return true;
  }

  @Override
  public boolean hasWork() {
    return pool.hasEvents() || scheduler.hasWork() || host.hasLoaded();
  }

  @Override
  public void onWork(Runnable listener) {
    host.onLoaded(listener);
  }

  @Override
  public StepReport step() {
    final long preemptionsBefore = scheduler.preemptions();
    host.settle(scheduler);
    final List<Sequence> batch = scheduler.schedule();
    final List<RequestId> ids = batch.stream().map(Sequence::id).toList();
    final News news = new News();
    try {
      final StepInput input = input(batch);
      final int tokenCount = input.tokenCount();
      final int draftCount = batch.stream().mapToInt(sequence -> sequence.drafted).sum();
      commit(batch, run(input), news);
      if (constraints != null) constraints.trim();
      final List<KvEvent> events = pool.drainEvents();
      host.store(events);
      return new StepReport(
          news.progress,
          news.failures,
          events,
          host.drainEvents(),
          (int) (scheduler.preemptions() - preemptionsBefore),
          tokenCount,
          draftCount,
          input.slices().size());
    } catch (RuntimeException | Error e) {
      fail(batch);
      throw new EngineFailure(ids, e);
    }
  }

  /** Ends a failed batch; prefills keep their blocks, which may be read right now. */
  private void fail(List<Sequence> batch) {
    for (Sequence sequence : batch) {
      if (sequence.state == Sequence.State.ENDED) continue;
      if (sequence.kind() == Kind.PREFILL) scheduler.keepPrefilled(sequence);
      else end(sequence);
    }
  }

  /** What a step's report tells of its sequences. */
  private static final class News {
    private final List<StepReport.Progress> progress = new ArrayList<>();
    private final List<StepReport.Failure> failures = new ArrayList<>();

    void add(
        Sequence sequence, List<SampledToken> tokens, List<Integer> blocks, FinishReason finish) {
      progress.add(
          new StepReport.Progress(sequence.id(), tokens, blocks, finish, sequence.cachedTokens));
    }

    void addEmbedding(Sequence sequence) {
      progress.add(
          new StepReport.Progress(
              sequence.id(),
              List.of(),
              List.of(),
              FinishReason.STOP,
              sequence.cachedTokens,
              sequence.embedding()));
    }
  }

  private StepInput input(List<Sequence> batch) {
    final List<StepInput.Slice> slices = new ArrayList<>(batch.size());
    for (Sequence sequence : batch) {
      if (sequence.scheduled == 0) continue; // A prefill that found all its blocks.
      slices.add(
          new StepInput.Slice(
              sequence.tokens(),
              sequence.computed,
              sequence.scheduled + sequence.drafted,
              sequence.table().blocks(),
              choosesTokens(sequence) ? 1 + sequence.drafted : 0,
              Sampler.takesTheBest(sequence),
              sequence.pooled(device.embeddingSize())));
    }
    return new StepInput(slices);
  }

  private static boolean choosesTokens(Sequence sequence) {
    return sequence.kind() == Kind.ANSWER
        && sequence.pooling() == null
        && sequence.scheduled == sequence.remaining();
  }

  private StepOutput run(StepInput input) {
    if (input.slices().isEmpty()) return null;
    final StepOutput output = device.run(input);
    steps++;
    computedTokens += input.tokenCount();
    return output;
  }

  private void commit(List<Sequence> batch, StepOutput output, News news) {
    int sliceIndex = 0;
    for (Sequence sequence : batch) {
      final int slice = sequence.scheduled == 0 ? -1 : sliceIndex++;
      scheduler.commit(sequence);
      if (sequence.kind() == Kind.PREFILL) {
        commitPrefill(sequence, news);
      } else if (sequence.remaining() > 0) {
        continue;
      } else if (sequence.pooling() != null) {
        news.addEmbedding(sequence);
        end(sequence);
      } else {
        commitTokens(sequence, output, slice, news);
      }
    }
  }

  private void commitPrefill(Sequence sequence, News news) {
    final boolean isDone = sequence.remaining() == 0;
    final List<Integer> full = blocks(sequence, sequence.reportedBlocks, sequence.publishedBlocks);
    sequence.reportedBlocks = sequence.publishedBlocks;
    if (isDone) scheduler.keepPrefilled(sequence);
    if (isDone || !full.isEmpty()) {
      news.add(sequence, List.of(), full, isDone ? FinishReason.LENGTH : null);
    }
  }

  /** Chooses token after token, as long as the logits are those behind the tokens chosen. */
  private void commitTokens(Sequence sequence, StepOutput output, int slice, News news) {
    final List<SampledToken> tokens = new ArrayList<>(1 + sequence.drafted);
    FinishReason finish = null;
    String failure = null;
    boolean isNextKnown = true;
    while (isNextKnown && finish == null && failure == null) {
      switch (sampler.sample(sequence, output, slice, tokens.size())) {
        case Sampler.Outcome.Failed(String reason) -> failure = reason;
        case Sampler.Outcome.Chosen(SampledToken token) -> {
          isNextKnown = sequence.isAsDrafted(token.tokenId(), tokens.size());
          sequence.append(token.tokenId());
          tokens.add(token);
          finish = finish(sequence, token.tokenId());
          if (isNextKnown && finish == null) scheduler.accept(sequence);
        }
      }
    }
    speculation.verified(sequence, Math.max(0, tokens.size() - 1));
    if (!tokens.isEmpty()) news.add(sequence, tokens, List.of(), finish);
    if (failure != null) news.failures.add(new StepReport.Failure(sequence.id(), failure));
    if (finish != null || failure != null) end(sequence);
  }

  private static FinishReason finish(Sequence sequence, int token) {
    if (sequence.rules().isStop(token)) return FinishReason.STOP;
    final ConstrainedAnswer constraint = sequence.constraint();
    if (constraint != null) {
      if (constraint.isEnd(token)) return FinishReason.STOP;
      final boolean isRead = constraint.hasNoEnd() && constraint.readUpTo(sequence) == null;
      if (isRead && constraint.isOver()) return FinishReason.LENGTH; // Nothing could say it.
    }
    return sequence.length() == sequence.lengthMax() ? FinishReason.LENGTH : null;
  }

  private void end(Sequence sequence) {
    scheduler.end(sequence);
    sequences.remove(sequence.id());
  }

  private static List<Integer> blocks(Sequence sequence, int from, int to) {
    final List<Integer> blocks = new ArrayList<>(to - from);
    for (int i = from; i < to; i++) blocks.add(sequence.table().block(i));
    return blocks;
  }

  @Override
  public EngineLoad load() {
    return new EngineLoad(
        scheduler.runningCount(),
        scheduler.waitingCount() + scheduler.reservedCount(),
        pool.usedCount(),
        pool.cachedCount(),
        pool.blockCount(),
        scheduler.remainingPromptTokens(),
        scheduler.queriedTokens(),
        scheduler.hitTokens(),
        scheduler.preemptions(),
        steps,
        computedTokens,
        speculation.draftedTokens(),
        speculation.acceptedTokens(),
        host.figures());
  }

  // What tests look at.

  BlockPool pool() {
    return pool;
  }

  int pinnedBlocks() {
    return scheduler.pinnedBlocks();
  }

  Scheduler scheduler() {
    return scheduler;
  }

  BlockTable table(RequestId id) {
    return sequences.get(id).table();
  }

  List<BlockTable> tables() {
    final List<BlockTable> tables = new ArrayList<>(scheduler.endingTables());
    sequences.values().forEach(sequence -> tables.add(sequence.table()));
    return tables;
  }
}
