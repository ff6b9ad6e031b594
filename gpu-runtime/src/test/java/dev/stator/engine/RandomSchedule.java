package dev.stator.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.device.simulated.SimulatedDevice;
import dev.stator.kv.BlockTable;
import dev.stator.kv.PoolChecks;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * One seeded run of an engine whose callers submit, reserve, prefill, resume, release and cancel as
 * they like, and whose device fails now and then. Two of three have a host tier, whose copies take
 * their time, or fail. Checked after each of it:
 *
 * <ul>
 *   <li>The pool's books are right, and a reserved sequence has the blocks that it was promised.
 *   <li>A step computes or reports something.
 *   <li><b>A reservation delays nobody who waits:</b> the queue's head starts in the next step,
 *       unless it waits for a block that is being computed, or the step has no token left for it.
 *   <li>Once callers have resumed and released all, everything ends, and no block is held.
 * </ul>
 */
final class RandomSchedule {
  private static final int CONTEXT = 60;
  private static final int VOCABULARY = 8; // Few, so that drafts are right now and then.

  private final Random random;
  private final Requests with = new Requests();
  private final EngineSettings settings;
  private final RecordingDevice device;
  private final TieredDevice tiered;
  private final LocalEngine engine;
  private final PoolChecks checks = new PoolChecks();
  private final List<RequestId> answers = new ArrayList<>(); // In the engine, by kind.
  private final List<RequestId> prefills = new ArrayList<>();
  private final Map<RequestId, List<Integer>> promised = new HashMap<>();
  private final List<int[]> prompts = new ArrayList<>();
  private Sequence mustStart; // The queue's head at the last reservation.
  private int count;
  int ended;
  int reserved;
  int overtakings;
  int failures;
  long drafted;

  RandomSchedule(long seed) {
    this.random = new Random(seed);
    final int blockSize = 1 + random.nextInt(4);
    final int blocks = 4 + random.nextInt(30);
    final int runningMax = 2 + random.nextInt(8);
    this.settings =
        new EngineSettings(
            runningMax + random.nextInt(40),
            1 + random.nextInt(40),
            runningMax,
            1 + random.nextInt(8),
            1 + random.nextInt(8),
            1000,
            64,
            random.nextInt(3),
            Workload.speculation(random),
            new HostTierSettings(1 + random.nextInt(9), 1 + random.nextInt(3)));
    final var simulated = new SimulatedDevice(blocks, blockSize, VOCABULARY, CONTEXT);
    this.tiered = new TieredDevice(simulated, 1 + random.nextInt(4 * blocks), random);
    this.device = new RecordingDevice(random.nextInt(3) == 0 ? simulated : tiered);
    this.engine = new LocalEngine(device, settings, Set.of());
  }

  void run(int rounds) {
    for (int round = 0; round < rounds; round++) {
      act();
      if (random.nextInt(3) > 0) step(random.nextInt(60) == 0);
      if (random.nextInt(3) == 0) tiered.endOne();
      check();
    }
    letGo();
    int stepsLeft = 10_000;
    while (engine.hasWork() || tiered.endOne()) {
      step(false);
      check();
      letGo();
      assertTrue(--stepsLeft > 0, "no end");
    }
    assertTrue(answers.isEmpty(), () -> "never ended: " + answers);
    assertEquals(0, engine.pool().usedCount());
    assertEquals(0, engine.pinnedBlocks());
    device.close();
  }

  private void act() {
    switch (random.nextInt(12)) {
      case 0, 1, 2 -> add(answers, Kind.SUBMIT);
      case 3, 4, 5 -> add(answers, Kind.RESERVE);
      case 6 -> add(prefills, Kind.PREFILL);
      case 7, 8 -> {
        if (!promised.isEmpty()) resume(any(List.copyOf(promised.keySet())));
      }
      case 9 -> {
        if (!prefills.isEmpty()) release(any(prefills));
      }
      case 10 -> {
        if (random.nextInt(4) == 0 && !answers.isEmpty()) cancel(any(answers));
      }
      default -> {}
    }
  }

  private enum Kind {
    SUBMIT,
    RESERVE,
    PREFILL
  }

  private void add(List<RequestId> home, Kind kind) {
    with.maxTokens = 1 + random.nextInt(20);
    final String id = kind + "-" + count++;
    final GenerationRequest request = with.request(id, prompt());
    final Sequence head = kind == Kind.RESERVE ? engine.scheduler().queueHead() : null;
    final Admission admission =
        switch (kind) {
          case SUBMIT -> engine.submit(request);
          case RESERVE -> engine.reserve(request);
          case PREFILL -> engine.prefill(request);
        };
    if (!(admission instanceof Admission.Admitted admitted)) return;
    home.add(request.id());
    if (kind != Kind.RESERVE) return;
    promised.put(request.id(), admitted.blocksToFill());
    reserved++;
    if (head == null) return;
    mustStart = head;
    overtakings++;
  }

  /** Half of them share beginnings. */
  private int[] prompt() {
    final int[] prompt = random.ints(1 + random.nextInt(30), 0, VOCABULARY).toArray();
    if (!prompts.isEmpty() && random.nextBoolean()) {
      final int[] other = prompts.get(random.nextInt(prompts.size()));
      System.arraycopy(other, 0, prompt, 0, Math.min(other.length, prompt.length) / 2);
    }
    prompts.add(prompt);
    return prompt;
  }

  private RequestId any(List<RequestId> ids) {
    return ids.get(random.nextInt(ids.size()));
  }

  private void resume(RequestId id) {
    final int blocks = promised.remove(id).size();
    engine.resume(id, random.nextInt(blocks + 1));
  }

  private void release(RequestId id) {
    prefills.remove(id);
    engine.release(id);
  }

  private void cancel(RequestId id) {
    answers.remove(id);
    promised.remove(id);
    assertTrue(engine.cancel(id));
  }

  private void letGo() {
    for (RequestId id : List.copyOf(promised.keySet())) resume(id);
    for (RequestId id : List.copyOf(prefills)) release(id);
  }

  private void step(boolean fails) {
    if (!engine.hasWork()) return;
    final Scheduler scheduler = engine.scheduler();
    final Sequence head = mustStart;
    mustStart = null;
    final boolean mayWait =
        head == null || head != scheduler.queueHead() || scheduler.awaitsABlock(head);
    final StepReport report;
    try {
      device.failure = fails ? new IllegalStateException("as told") : null;
      report = engine.step();
    } catch (EngineFailure failure) {
      assertTrue(fails, failure::toString);
      failures++;
      answers.removeAll(failure.failedIds());
      return;
    }
    checks.replay(report.events());
    assertTrue(report.batchTokenCount() <= settings.stepTokensMax(), "too many tokens");
    drafted += report.batchDraftCount();
    final boolean hasNews = !report.progress().isEmpty() || !report.events().isEmpty();
    final boolean hasCopied = tiered.hasLoaded();
    assertTrue(report.batchTokenCount() > 0 || hasNews || hasCopied, "a step that does nothing");
    for (StepReport.Progress progress : report.progress()) {
      if (progress.finish() != null && answers.remove(progress.id())) ended++;
    }
    if (mayWait || report.batchTokenCount() == settings.stepTokensMax()) return;
    assertTrue(head != scheduler.queueHead(), () -> "a reservation held up " + head.id());
  }

  private void check() {
    checks.check(engine.pool(), engine.tables());
    promised.forEach(
        (id, blocks) -> assertEquals(blocks, promisedBlocks(id, blocks.size()), id::value));
    final boolean waitsForOthers = !promised.isEmpty() || !prefills.isEmpty() || tiered.isLoading();
    assertTrue(
        engine.hasWork() || waitsForOthers || answers.isEmpty(),
        () -> "nothing to do, but these wait: " + answers);
  }

  /** The promised ones: behind those that were found, before that of the last token. */
  private List<Integer> promisedBlocks(RequestId id, int count) {
    final BlockTable table = engine.table(id);
    final List<Integer> blocks = new ArrayList<>();
    for (int i = table.count() - 1 - count; i < table.count() - 1; i++) blocks.add(table.block(i));
    return blocks;
  }
}
