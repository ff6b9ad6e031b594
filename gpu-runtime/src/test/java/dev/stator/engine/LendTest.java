package dev.stator.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Cached blocks that another engine reads. */
class LendTest extends EngineFixture {
  @Test
  void shouldLendTheCachedBlocksBeforeTheLastTokenAndComputeNothing() {
    submit("a", THIRTEEN);
    runToTheEnd();
    final int steps = device.inputs.size();
    final var lent = assertInstanceOf(Admission.Admitted.class, lend("b", THIRTEEN));
    assertEquals(12, lent.cachedTokens());
    assertEquals(3, lent.blocksToFill().size());
    assertEquals(3, engine.load().usedBlocks());
    assertEquals(3, engine.pinnedBlocks());
    runToTheEnd(); // Events at most.
    assertEquals(steps, device.inputs.size());
    engine.release(B);
    assertEquals(0, engine.load().usedBlocks());
    assertFalse(engine.cancel(B));
  }

  @Test
  void shouldLendWhatThereIsOfALongerSequence() {
    submit("a", THIRTEEN);
    runToTheEnd();
    final int[] longer = Arrays.copyOf(THIRTEEN, 40);
    longer[13] = 49; // Not what the engine has answered.
    final var lent = assertInstanceOf(Admission.Admitted.class, lend("b", longer));
    assertEquals(12, lent.cachedTokens());
    engine.cancel(B);
    assertEquals(0, engine.pinnedBlocks());
  }

  @Test
  void shouldTakeNothingWhenNothingIsCached() {
    assertEquals(new Admission.Admitted(0, List.of()), lend("b", THIRTEEN));
    assertFalse(engine.cancel(B));
  }

  @Test
  void shouldKeepLentBlocksWhenOthersNeedBlocks() {
    usePool(8);
    with.maxTokens = 1;
    submit("a", THIRTEEN);
    runToTheEnd();
    final var lent = assertInstanceOf(Admission.Admitted.class, lend("b", THIRTEEN));
    assertEquals(3, lent.blocksToFill().size());
    with.maxTokens = 12;
    submit("c", TEN); // Needs 6 blocks in the end, 5 are left.
    assertFalse(engine.hasWork());
    engine.release(B);
    assertTrue(engine.hasWork());
    runToTheEnd();
    assertEquals(FinishReason.LENGTH, finished.get(new RequestId("c")));
  }

  @Test
  void shouldRefuseWhatWouldStarveARunningAnswer() {
    usePool(8);
    with.maxTokens = 1;
    submit("a", THIRTEEN);
    runToTheEnd();
    with.maxTokens = 14;
    submit("c", TEN); // May come to need 6 blocks; 8 - 3 are fewer.
    stepOnce();
    final var refused = assertInstanceOf(Admission.Refused.class, lend("b", THIRTEEN));
    assertEquals("device.block-count", refused.limit());
    assertTrue(refused.passing());
    runToTheEnd();
    assertEquals(FinishReason.LENGTH, finished.get(new RequestId("c")));
  }

  @Test
  void shouldCountNoLookUpOfItsOwn() {
    submit("a", THIRTEEN);
    runToTheEnd();
    final long queried = engine.load().prefixQueriedTokens();
    lend("b", THIRTEEN);
    assertEquals(queried, engine.load().prefixQueriedTokens());
    engine.release(B);
  }

  private Admission lend(String id, int... prompt) {
    return engine.lend(with.request(id, prompt));
  }
}
