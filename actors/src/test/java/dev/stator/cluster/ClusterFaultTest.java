package dev.stator.cluster;

import static dev.stator.cluster.NodeRoleTest.DECODE;
import static dev.stator.cluster.NodeRoleTest.PREFILL;
import static dev.stator.cluster.TestNode.alone;
import static dev.stator.cluster.TestNode.call;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.cluster.TestCluster.Member;
import dev.stator.cluster.TestNode.Answer;
import dev.stator.request.GenerationCall;
import dev.stator.request.GenerationEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.actor.Kill;
import org.apache.pekko.actor.testkit.typed.javadsl.LogCapturingExtension;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Nodes that die, hang, leave: the answer's bytes stay the same. */
@ExtendWith(LogCapturingExtension.class)
class ClusterFaultTest {
  private final ControlledDevice.Control control = new ControlledDevice.Control();
  private TestCluster cluster = new TestCluster("");

  @AfterEach
  void shutDown() {
    control.allowAll();
    cluster.close();
  }

  @Test
  void shouldGoOnElsewhereWhenADecodeNodeDiesInMidAnswer() {
    final Member frontend = cluster.frontend("frontend-1");
    final Member dying = cluster.worker("decode-1", TestNode.controlled("a", DECODE, control));
    cluster.awaitServing(frontend, dying);
    final GenerationCall call = call("moved", 3, 20, 60);
    final var answer = cluster.start(frontend, call);
    control.allow(10);
    cluster.awaitTrue("not begun", () -> steps(dying) >= 9);
    final Member heir = cluster.worker("decode-2", TestNode.slot("a", DECODE, TestNode.BLOCKS));
    cluster.awaitServing(heir);
    dying.kill(cluster.members);
    assertEquals(alone(call), Answer.of(answer.join(), 0));
    cluster.awaitTrue("not moved", () -> frontend.node.stats().sessions().moves() == 1);
    cluster.awaitEmpty(frontend, heir);
    cluster.awaitTrue("still a member", () -> frontend.node.view().nodes().size() == 2);
  }

  @Test
  void shouldLeaveAHangingNodeAndEndItWhenItWakesAlone() {
    final Member frontend = cluster.frontend("frontend-1");
    final Member staying = cluster.worker("decode-1", TestNode.slot("a", DECODE, TestNode.BLOCKS));
    final Member hanging = cluster.worker("decode-2", TestNode.controlled("a", DECODE, control));
    cluster.awaitServing(frontend, staying, hanging);
    final List<GenerationCall> calls = new ArrayList<>();
    final List<CompletableFuture<List<GenerationEvent>>> answers = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      calls.add(call("call-" + i, i, 20, 40));
      answers.add(cluster.start(frontend, calls.get(i)));
    }
    control.allow(3);
    cluster.awaitTrue("nothing placed there", () -> steps(hanging) > 0);
    hanging.cutOff(cluster.members);
    for (int i = 0; i < 6; i++) {
      assertEquals(alone(calls.get(i)), Answer.of(answers.get(i).join(), 0));
    }
    control.allowAll();
    final ClusterNode.Ending ending =
        TestCluster.join(hanging.node.stopped().toCompletableFuture());
    assertFalse(ending.expected());
    assertTrue(ending.reason().contains("has removed this node"), ending.reason());
    cluster.awaitEmpty(frontend, staying);
  }

  @Test
  void shouldComputeThePromptItselfWhenThePrefillNodeDies() {
    final Member frontend = cluster.frontend("frontend-1");
    final Member decode = cluster.worker("decode-1", TestNode.slot("a", DECODE, TestNode.BLOCKS));
    final Member dying = cluster.worker("prefill-1", TestNode.controlled("a", PREFILL, control));
    cluster.awaitServing(frontend, decode, dying);
    final GenerationCall call = call("long", 5, 120, 20);
    final var answer = cluster.start(frontend, call);
    control.allow(2);
    cluster.awaitTrue("not begun", () -> steps(dying) >= 1);
    dying.kill(cluster.members);
    assertEquals(alone(call), Answer.of(answer.join(), 0));
    cluster.awaitEmpty(frontend, decode);
  }

  @Test
  void shouldWaitForTheRouterWhenItsNodeDies() {
    final Member seed = cluster.start("router-1", "router", Optional.empty(), "");
    final Member decode = cluster.worker("decode-1", TestNode.controlled("a", DECODE, control));
    cluster.awaitTrue("no router", () -> seed.node.stats().router().workers() == 1);
    final Member frontend = cluster.frontend("frontend-1");
    cluster.awaitServing(seed, frontend, decode);
    final GenerationCall before = call("before", 6, 20, 60);
    final var running = cluster.start(frontend, before);
    control.allow(5);
    cluster.awaitTrue("not begun", () -> steps(decode) >= 4);
    seed.kill(cluster.members);
    control.allowAll();
    final GenerationCall after = call("after", 6, 20, 60);
    assertEquals(alone(before), Answer.of(running.join(), 0));
    assertEquals(alone(after), cluster.answer(frontend, after));
    cluster.awaitTrue(
        "the new router does not know the blocks",
        () -> frontend.node.stats().router().indexedBlocks() >= 19);
  }

  @Test
  void shouldAnswerAgainWhenTheRouterFails() {
    final Member frontend = cluster.frontend("frontend-1");
    final Member decode = cluster.worker("decode-1", TestNode.slot("a", DECODE, TestNode.BLOCKS));
    cluster.awaitServing(frontend, decode);
    final GenerationCall call = call("again", 7, 20, 20);
    assertEquals(alone(call), cluster.answer(frontend, call));
    frontend
        .system
        .classicSystem()
        .actorSelection("/system/sharding/router/*/*")
        .tell(Kill.getInstance(), ActorRef.noSender());
    final GenerationCall next = call("next", 8, 20, 20);
    assertEquals(alone(next), cluster.answer(frontend, next));
  }

  @Test
  void shouldStartTheSlotAgainWhenItsNodeComesBackUnderItsName() {
    final Member frontend = cluster.frontend("frontend-1");
    final Member first = cluster.worker("decode-1", TestNode.slot("a", DECODE, TestNode.BLOCKS));
    cluster.awaitServing(frontend, first);
    first.kill(cluster.members);
    final Member second = cluster.worker("decode-1", TestNode.slot("a", DECODE, TestNode.BLOCKS));
    cluster.awaitServing(second);
    final GenerationCall call = call("again", 9, 20, 20);
    assertEquals(alone(call), cluster.answer(frontend, call));
    assertTrue(
        second.node.stats().workers().getFirst().load().computedTokens() > 0, cluster.figures());
  }

  @Test
  void shouldTakeANodeBackWhenItsFormerLifeIsNotRemovedYet() {
    cluster.close();
    cluster = new TestCluster("stator.cluster.down-after = 1h");
    final Member frontend = cluster.frontend("frontend-1");
    final Member first = cluster.worker("decode-1", TestNode.slot("a", DECODE, TestNode.BLOCKS));
    cluster.awaitServing(frontend, first);
    first.kill(cluster.members);
    final Member second = cluster.worker("decode-1", TestNode.slot("a", DECODE, TestNode.BLOCKS));
    cluster.awaitServing(second);
    final GenerationCall call = call("soon", 9, 20, 20);
    assertEquals(alone(call), cluster.answer(frontend, call));
  }

  @Test
  void shouldEndTheSecondNodeOfAName() {
    final Member frontend = cluster.frontend("frontend-1");
    final Member first = cluster.worker("decode-1", TestNode.slot("a", DECODE, TestNode.BLOCKS));
    cluster.awaitServing(frontend, first);
    final Member second =
        cluster.worker(
            TestNode.MODEL,
            "decode-1",
            "stator.cluster.name-timeout = 1s",
            TestNode.slot("a", DECODE, TestNode.BLOCKS));
    final ClusterNode.Ending ending = TestCluster.join(second.node.stopped().toCompletableFuture());
    assertFalse(ending.expected());
    assertTrue(ending.reason().contains("has this name: decode-1"), ending.reason());
    final GenerationCall call = call("first", 10, 20, 20);
    assertEquals(alone(call), cluster.answer(frontend, call));
  }

  private static long steps(Member member) {
    return member.node.stats().workers().stream().mapToLong(worker -> worker.load().steps()).sum();
  }
}
