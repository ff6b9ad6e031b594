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
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * One seeded run of a workload through an engine, with cancellations, moved requests, and prompts
 * computed by a second engine whose blocks are copied over (some of them only in part, the rest
 * left as garbage). Every answer must be the one the request gets alone; the books of both engines
 * must be right after each step.
 */
final class Scenario {
  private final Random random;
  private final Workload workload;
  private final Side decode;
  private final Side prefill;
  private final Map<RequestId, Live> live = new LinkedHashMap<>();
  private final Deque<Live> arriving = new ArrayDeque<>();
  int preemptions;
  int cancellations;
  int remotePrefills;

  /** An engine with what is known of it from its reports. */
  private static final class Side {
    private final Device device;
    private final LocalEngine engine;
    private final PoolChecks checks = new PoolChecks();

    Side(Device device, EngineSettings settings, Workload workload) {
      this.device = device;
      this.engine = new LocalEngine(device, settings, workload.endTokenIds());
    }

    StepReport step() {
      final StepReport report = engine.step();
      assertTrue(report.failures().isEmpty(), () -> "failures: " + report.failures());
      checks.replay(report.events());
      final boolean hasNews = !report.progress().isEmpty() || !report.events().isEmpty();
      assertTrue(report.batchTokenCount() > 0 || hasNews, "a step that does nothing");
      return report;
    }

    void check() {
      checks.check(engine.pool(), engine.tables());
      assertEquals(engine.pool().usedCount(), engine.load().usedBlocks());
    }

    void checkEmpty() {
      assertFalse(engine.hasWork());
      assertTrue(engine.tables().isEmpty());
      assertEquals(0, engine.pool().usedCount());
      assertEquals(0, engine.pinnedBlocks());
      device.close();
    }
  }

  /** A request on its way. */
  private static final class Live {
    final GenerationRequest request;
    final Workload.Answer expected;
    final int givenTokens;
    final List<SampledToken> tokens = new ArrayList<>();
    final boolean isRemote;
    List<Integer> blocksToFill;
    int cachedBlocks;
    int seenBlocks;

    Live(GenerationRequest request, Workload.Answer expected, int givenTokens, boolean isRemote) {
      this.request = request;
      this.expected = expected;
      this.givenTokens = givenTokens;
      this.isRemote = isRemote;
    }
  }

  Scenario(Workload workload, long seed, int requestCount) {
    this.random = new Random(seed);
    this.workload = workload;
    final Map<GenerationRequest, Workload.Answer> alone = new HashMap<>();
    try (Device probe = workload.devices().create(1)) {
      final int blockSize = probe.kvLayout().blockSize();
      final int longest = workload.promptMax() + workload.answerMax();
      final int blocksOfOne = Math.ceilDiv(longest, blockSize);
      for (GenerationRequest request :
          workload.requests(random, requestCount, probe.vocabularySize())) {
        try (Device device = workload.devices().create(blocksOfOne)) {
          alone.put(request, workload.alone(request, device));
        }
        arrive(request, alone.get(request));
      }
      this.decode = side(blocksOfOne + random.nextInt(blocksOfOne));
      this.prefill = side(blocksOfOne + random.nextInt(blocksOfOne));
    }
  }

  private void arrive(GenerationRequest request, Workload.Answer answer) {
    final int given = random.nextInt(4) == 0 ? random.nextInt(answer.tokens().size()) : 0;
    final GenerationRequest moved = Workload.moved(request, answer, given);
    arriving.add(new Live(moved, answer, given, random.nextInt(3) == 0));
  }

  private Side side(int blockCount) {
    final int runningMax = 1 + random.nextInt(8);
    final EngineSettings settings =
        new EngineSettings(
            runningMax + random.nextInt(40),
            1 + random.nextInt(40),
            runningMax,
            2 + random.nextInt(10),
            50 + random.nextInt(500),
            4096,
            random.nextInt(2));
    return new Side(workload.devices().create(blockCount), settings, workload);
  }

  /** Runs until everything has ended. */
  void run() {
    int stepsLeft = 200 + 40 * arriving.size() * (workload.promptMax() + workload.answerMax());
    while (!arriving.isEmpty() || !live.isEmpty()) {
      if (!arriving.isEmpty() && random.nextInt(3) > 0) start(arriving.peek());
      if (random.nextInt(40) == 0) cancelOne();
      final boolean hasWork = decode.engine.hasWork() || prefill.engine.hasWork();
      assertTrue(
          hasWork || !arriving.isEmpty() || live.isEmpty(),
          "nothing to do, but " + live.size() + " to answer");
      if (decode.engine.hasWork()) absorb(decode.step());
      decode.check();
      if (prefill.engine.hasWork() && random.nextInt(3) > 0) absorbPrefill(prefill.step());
      prefill.check();
      assertTrue(--stepsLeft > 0, "too many steps");
    }
    while (decode.engine.hasWork()) decode.step(); // Events of the last.
    while (prefill.engine.hasWork()) prefill.step();
    decode.checkEmpty();
    prefill.checkEmpty();
  }

  private void start(Live next) {
    final Admission admission =
        next.isRemote ? decode.engine.reserve(next.request) : decode.engine.submit(next.request);
    switch (admission) {
      case Admission.Refused refused -> assertTrue(refused.passing(), refused::toString);
      case Admission.Admitted(int cachedTokens, List<Integer> blocksToFill) -> {
        arriving.remove();
        live.put(next.request.id(), next);
        next.blocksToFill = blocksToFill;
        next.cachedBlocks = cachedTokens / decode.device.kvLayout().blockSize();
        if (next.isRemote) startRemote(next);
      }
    }
  }

  private void startRemote(Live next) {
    remotePrefills++;
    if (prefill.engine.prefill(next.request) instanceof Admission.Refused) {
      decode.engine.resume(next.request.id(), 0);
    }
  }

  private void cancelOne() {
    if (live.isEmpty()) return;
    final List<RequestId> ids = List.copyOf(live.keySet());
    final RequestId id = ids.get(random.nextInt(ids.size()));
    assertTrue(decode.engine.cancel(id));
    assertFalse(decode.engine.cancel(id));
    prefill.engine.cancel(id);
    live.remove(id);
    cancellations++;
  }

  private void absorb(StepReport report) {
    preemptions += report.preemptedCount();
    for (StepReport.Progress progress : report.progress()) {
      final Live request = live.get(progress.id());
      assertNotNull(request, "news of " + progress.id());
      request.tokens.addAll(progress.tokens());
      final List<SampledToken> all = request.expected.tokens();
      final int end = request.givenTokens + request.tokens.size();
      assertTrue(end <= all.size(), "the answer is too long");
      assertEquals(all.subList(request.givenTokens, end), request.tokens, progress.id()::value);
      assertEquals(end == all.size() ? request.expected.finish() : null, progress.finish());
      if (progress.finish() != null) live.remove(progress.id());
    }
  }

  private void absorbPrefill(StepReport report) {
    for (StepReport.Progress progress : report.progress()) {
      final Live request = live.get(progress.id());
      for (int block : progress.fullBlocks()) {
        final int target = request.seenBlocks++ - request.cachedBlocks;
        if (target >= 0) {
          decode
              .device
              .block(request.blocksToFill.get(target))
              .copyFrom(prefill.device.block(block));
        }
      }
      final boolean isLost = random.nextInt(12) == 0;
      if (progress.finish() != null || isLost) finishRemote(request);
    }
  }

  private void finishRemote(Live request) {
    final int filled = Math.max(0, request.seenBlocks - request.cachedBlocks);
    for (int block : request.blocksToFill.subList(filled, request.blocksToFill.size())) {
      final MemorySegment bytes = decode.device.block(block);
      for (long i = 0; i < bytes.byteSize(); i += 4) {
        bytes.set(ValueLayout.JAVA_INT_UNALIGNED, i, random.nextInt() & 0x3FFFFFFF);
      }
    }
    prefill.engine.release(request.request.id());
    decode.engine.resume(request.request.id(), filled);
  }
}
