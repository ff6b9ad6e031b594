package dev.stator.router;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.typesafe.config.ConfigFactory;
import dev.stator.engine.RequestId;
import dev.stator.protocol.Place;
import dev.stator.protocol.PlacementAnswer.Cause;
import dev.stator.protocol.PlacementAnswer.Placed;
import java.time.Duration;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Where answers go on that have begun at a worker with the numerics "f". */
class RouterNumericsTest extends RouterFixture {
  private static final RouterSettings OTHERS_MAY =
      RouterSettings.from(
          ConfigFactory.parseString("continue-on-other-numerics = true, settle-time = 0s")
              .withFallback(ConfigFactory.load().getConfig("stator.router")));

  @Test
  void shouldWaitForEqualNumericsWhenAnAnswerHasBegun() {
    new FakeWorker("g", "g").joined(DECODE);
    assertEquals("g", placed("new/0", 0).worker().slot());
    goOn("r/0");
    answers.expectNoMessage(Duration.ofMillis(20));
    new FakeWorker("f", "f").joined(DECODE);
    assertEquals("f", slotOfAnswer());
    goOn("s/0");
    assertEquals("f", slotOfAnswer());
  }

  @Test
  void shouldNameTheSettingWhenNobodyOfEqualNumericsComes() {
    new FakeWorker("g", "g").joined(DECODE);
    goOn("r/0");
    goOn("r/0"); // The same question, whose time runs on.
    time.timePasses(SETTINGS.pendingTimeout());
    assertRefused(Cause.UNAVAILABLE, "router.continue-on-other-numerics");
  }

  @Test
  void shouldGoOnWithOtherNumericsOnlyWhenAllowedAndNobodyHasEqualOnes() {
    router =
        testKit.spawn(Router.create(OTHERS_MAY, cache.ref(), new Random(1), () -> 0, stats::set));
    final FakeWorker g = new FakeWorker("g", "g").joined(DECODE);
    goOn("r/0");
    assertEquals("g", slotOfAnswer());
    new FakeWorker("f", "f").joined(DECODE).up(DECODE, BUSY);
    goOn("s/0");
    assertEquals("f", slotOfAnswer());
    g.worker.stop();
  }

  private void goOn(String id) {
    router.tell(
        new Place(
            new RequestId(id), 1, TOKENS, 8, "", "f", Set.of(), answers.ref(), sessions.ref()));
  }

  private String slotOfAnswer() {
    return ((Placed) answers.receiveMessage()).placement().worker().slot();
  }
}
