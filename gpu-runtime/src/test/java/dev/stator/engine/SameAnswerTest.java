package dev.stator.engine;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.device.simulated.SimulatedDevice;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Same request, same bytes: whatever else the engine does meanwhile. */
class SameAnswerTest {
  private static final int SCENARIOS = 250;
  private static final int VOCABULARY = 41;
  private static final int SMALL_VOCABULARY = 8; // Drafts are right now and then.
  private static final Set<Integer> END_TOKENS = Set.of(3);

  @Test
  void shouldAnswerAsAloneWhenSchedulesAreRandom() {
    int preemptions = 0;
    int cancellations = 0;
    int remotePrefills = 0;
    long draftedTokens = 0;
    long acceptedTokens = 0;
    long loadedBlocks = 0;
    for (long seed = 0; seed < SCENARIOS; seed++) {
      final int blockSize = 1 + (int) (seed % 5);
      final int vocabulary = seed % 3 > 0 ? VOCABULARY : SMALL_VOCABULARY;
      final Workload workload =
          new Workload(
              blockCount -> new SimulatedDevice(blockCount, blockSize, vocabulary, 70),
              END_TOKENS,
              40,
              40);
      try {
        final Scenario scenario = new Scenario(workload, seed, 24);
        scenario.run();
        preemptions += scenario.preemptions;
        cancellations += scenario.cancellations;
        remotePrefills += scenario.remotePrefills;
        draftedTokens += scenario.draftedTokens;
        acceptedTokens += scenario.acceptedTokens;
        loadedBlocks += scenario.loadedBlocks;
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
      }
    }
    assertTrue(preemptions > SCENARIOS, "preemptions: " + preemptions);
    assertTrue(cancellations > SCENARIOS / 2, "cancellations: " + cancellations);
    assertTrue(remotePrefills > SCENARIOS, "remote prefills: " + remotePrefills);
    assertTrue(loadedBlocks > SCENARIOS, "blocks from the host: " + loadedBlocks);
    assertTrue(acceptedTokens > SCENARIOS, "accepted drafts: " + acceptedTokens);
    assertTrue(draftedTokens - acceptedTokens > SCENARIOS, "of drafts: " + draftedTokens);
  }
}
