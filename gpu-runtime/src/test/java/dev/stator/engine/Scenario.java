package dev.stator.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.device.Device;
import dev.stator.kv.PoolChecks;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * One seeded run of a workload through two engines, with cancellations, moved requests, and prompts
 * that the other engine computes and whose blocks are copied over (some of them only in part, the
 * rest left as garbage). Every answer must be the one the request gets alone; the books of both
 * engines must be right after each step.
 */
final class Scenario {
  private final Random random;
  private final Random tierRandom;
  private final Workload workload;
  private final Side left;
  private final Side right;
  private final Map<RequestId, Live> live = new LinkedHashMap<>();
  private final Deque<Live> arriving = new ArrayDeque<>();
  int preemptions;
  int cancellations;
  int remotePrefills;
  long draftedTokens;
  long acceptedTokens;
  long loadedBlocks;

  /** An engine with what is known of it from its reports. */
  private static final class Side {
    private final Device device;
    private final TieredDevice tiered; // Null without a host tier.
    private final LocalEngine engine;
    private final PoolChecks checks = new PoolChecks();

    Side(Device device, EngineSettings settings, Workload workload) {
      this.device = device;
      this.tiered = device instanceof TieredDevice found ? found : null;
      this.engine = new LocalEngine(device, settings, workload.endTokenIds());
    }

    StepReport step() {
      final StepReport report = engine.step();
      assertTrue(report.failures().isEmpty(), () -> "failures: " + report.failures());
      checks.replay(report.events());
      final boolean hasNews = !report.progress().isEmpty() || !report.events().isEmpty();
      final boolean hasCopied = tiered != null && tiered.hasLoaded();
      assertTrue(report.batchTokenCount() > 0 || hasNews || hasCopied, "a step that does nothing");
      return report;
    }

    /** Whether there was anything to copy. */
    boolean copy() {
      return tiered != null && tiered.endOne();
    }

    void check() {
      checks.check(engine.pool(), engine.tables());
      assertEquals(engine.pool().usedCount(), engine.load().usedBlocks());
    }

    void checkEmpty() {
      while (engine.hasWork() || copy()) { // The last events.
        if (engine.hasWork()) step();
      }
      assertTrue(engine.tables().isEmpty());
      assertEquals(0, engine.pool().usedCount());
      assertEquals(0, engine.pinnedBlocks());
      assertEquals(0, engine.load().waitingTokens());
      device.close();
    }
  }

  /** A request on its way. */
  private final class Live {
    final GenerationRequest request;
    final Workload.Answer expected;
    final int givenTokens;
    final List<SampledToken> tokens = new ArrayList<>();
    final Side home = random.nextBoolean() ? left : right;
    final boolean isRemote = random.nextInt(3) == 0;
    final boolean copiesLate = random.nextBoolean(); // The bytes must stay until the release.
    boolean isPrefilling;
    List<Integer> blocksToFill;
    int cachedBlocks;
    int copiedBlocks; // Those found at home included.
    final List<Integer> fullBlocks = new ArrayList<>();

    Live(GenerationRequest request, Workload.Answer expected, int givenTokens) {
      this.request = request;
      this.expected = expected;
      this.givenTokens = givenTokens;
    }

    RequestId id() {
      return request.id();
    }

    Side other() {
      return home == left ? right : left;
    }
  }

  Scenario(Workload workload, long seed, int requestCount) {
    this.random = new Random(seed);
    this.tierRandom = new Random(~seed);
    this.workload = workload;
    final int blocksOfOne;
    try (Device probe = workload.devices().create(1)) {
      final int longest = workload.promptMax() + workload.answerMax();
      blocksOfOne = Math.ceilDiv(longest, probe.kvLayout().blockSize());
      this.left = side(blocksOfOne + random.nextInt(blocksOfOne));
      this.right = side(blocksOfOne + random.nextInt(blocksOfOne));
    }
    final int vocabularySize = left.device.vocabularySize();
    for (GenerationRequest request : workload.requests(random, requestCount, vocabularySize)) {
      try (Device device = workload.devices().create(blocksOfOne)) {
        final Workload.Answer answer = workload.alone(request, device);
        final int given = random.nextInt(4) == 0 ? random.nextInt(answer.tokens().size()) : 0;
        arriving.add(new Live(Workload.moved(request, answer, given), answer, given));
      }
    }
  }

  private Side side(int blockCount) {
    final int runningMax = 1 + random.nextInt(8);
    final EngineSettings settings =
        new EngineSettings(
            runningMax + random.nextInt(40),
            1 + random.nextInt(40),
            runningMax,
            2 + random.nextInt(10),
            64,
            50 + random.nextInt(500),
            4096,
            random.nextInt(2),
            Workload.speculation(random),
            new HostTierSettings(1 + tierRandom.nextInt(9), 1 + tierRandom.nextInt(3)));
    final Device device = workload.devices().create(blockCount);
    if (tierRandom.nextInt(3) == 0) return new Side(device, settings, workload);
    final int slots = 1 + tierRandom.nextInt(4 * blockCount);
    return new Side(new TieredDevice(device, slots, tierRandom), settings, workload);
  }

  /** Runs until everything has ended. */
  void run() {
    int roundsLeft = 200 + 40 * arriving.size() * (workload.promptMax() + workload.answerMax());
    while (!arriving.isEmpty() || !live.isEmpty()) {
      if (!arriving.isEmpty() && random.nextInt(3) > 0) start(arriving.peek());
      if (random.nextInt(40) == 0) cancelOne();
      final boolean leftWorks = step(left, random.nextInt(4) > 0);
      final boolean rightWorks = step(right, random.nextInt(3) > 0);
      final boolean copies = tierRandom.nextInt(3) == 0 && (left.copy() | right.copy());
      final boolean waits = !leftWorks && !rightWorks && !live.isEmpty();
      if (waits && !copies && !left.copy() && !right.copy()) expireOne();
      assertTrue(--roundsLeft > 0, "too many steps");
    }
    for (Side side : List.of(left, right)) {
      side.checkEmpty();
      draftedTokens += side.engine.load().draftedTokens();
      acceptedTokens += side.engine.load().acceptedTokens();
      loadedBlocks += side.engine.load().hostTier().loadedBlocks();
    }
  }

  private boolean step(Side side, boolean isItsTurn) {
    final boolean hasWork = side.engine.hasWork();
    if (hasWork && isItsTurn) absorb(side, side.step());
    side.check();
    return hasWork;
  }

  private void start(Live next) {
    final LocalEngine engine = next.home.engine;
    final Admission admission =
        next.isRemote ? engine.reserve(next.request) : engine.submit(next.request);
    switch (admission) {
      case Admission.Refused refused -> assertTrue(refused.passing(), refused::toString);
      case Admission.Admitted(int cachedTokens, List<Integer> blocksToFill) -> {
        arriving.remove();
        live.put(next.id(), next);
        if (!next.isRemote) return;
        remotePrefills++;
        next.blocksToFill = blocksToFill;
        next.cachedBlocks = cachedTokens / next.home.device.kvLayout().blockSize();
        next.copiedBlocks = next.cachedBlocks;
        next.isPrefilling = true;
        if (next.other().engine.prefill(next.request) instanceof Admission.Refused) {
          finishRemote(next);
        }
      }
    }
  }

  private void cancelOne() {
    if (live.isEmpty()) return;
    final List<RequestId> ids = List.copyOf(live.keySet());
    final Live cancelled = live.remove(ids.get(random.nextInt(ids.size())));
    assertTrue(cancelled.home.engine.cancel(cancelled.id()));
    assertFalse(cancelled.home.engine.cancel(cancelled.id()));
    cancelled.other().engine.cancel(cancelled.id());
    cancellations++;
  }

  /** Two engines may wait for each other's reserved blocks; then a lease runs out. */
  private void expireOne() {
    final Live expired =
        live.values().stream()
            .filter(request -> request.isPrefilling)
            .findFirst()
            .orElseThrow(() -> new AssertionError("nothing to do, but " + live.size() + " wait"));
    finishRemote(expired);
  }

  private void absorb(Side side, StepReport report) {
    preemptions += report.preemptedCount();
    for (StepReport.Progress progress : report.progress()) {
      final Live request = live.get(progress.id());
      assertNotNull(request, "news of " + progress.id());
      if (request.home == side) absorbAnswer(request, progress);
      else absorbPrefill(request, progress);
    }
  }

  private void absorbAnswer(Live request, StepReport.Progress progress) {
    request.tokens.addAll(progress.tokens());
    final List<SampledToken> all = request.expected.tokens();
    final int end = request.givenTokens + request.tokens.size();
    assertTrue(end <= all.size(), "the answer is too long");
    assertEquals(all.subList(request.givenTokens, end), request.tokens, progress.id()::value);
    assertEquals(end == all.size() ? request.expected.finish() : null, progress.finish());
    if (progress.finish() != null) live.remove(progress.id());
  }

  private void absorbPrefill(Live request, StepReport.Progress progress) {
    request.fullBlocks.addAll(progress.fullBlocks());
    if (!request.copiesLate) copy(request);
    final boolean isLost = random.nextInt(12) == 0;
    if (progress.finish() != null || isLost) finishRemote(request);
  }

  private static void copy(Live request) {
    for (; request.copiedBlocks < request.fullBlocks.size(); request.copiedBlocks++) {
      final int from = request.fullBlocks.get(request.copiedBlocks);
      final int to = request.blocksToFill.get(request.copiedBlocks - request.cachedBlocks);
      request.home.device.block(to).copyFrom(request.other().device.block(from));
    }
  }

  private void finishRemote(Live request) {
    copy(request);
    final int filled = request.copiedBlocks - request.cachedBlocks;
    for (int block : request.blocksToFill.subList(filled, request.blocksToFill.size())) {
      final MemorySegment bytes = request.home.device.block(block);
      for (long i = 0; i < bytes.byteSize(); i += 4) {
        bytes.set(ValueLayout.JAVA_INT_UNALIGNED, i, random.nextInt() & 0x3FFFFFFF);
      }
    }
    request.isPrefilling = false;
    request.other().engine.release(request.id());
    request.home.engine.resume(request.id(), filled);
  }
}
