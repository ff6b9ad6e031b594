package dev.stator.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.request.GenerationCall;
import org.apache.pekko.actor.testkit.typed.javadsl.LogCapturingExtension;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LogCapturingExtension.class)
class LocalNodeTest {
  private TestNode node;

  @AfterEach
  void shutDown() {
    if (node != null) node.close();
  }

  @Test
  void shouldAnswerAsTheEngineAloneWhenAggregated() throws Exception {
    node = TestNode.aggregated("");
    node.awaitReady();
    for (int seed = 0; seed < 5; seed++) {
      final GenerationCall call = TestNode.call("call-" + seed, seed, 3 + 17 * seed, 20);
      assertEquals(TestNode.alone(call), node.answer(call));
    }
    node.awaitEmpty();
  }

  @Test
  void shouldAnswerAsTheEngineAloneWhenDisaggregated() throws Exception {
    node = TestNode.disaggregated("", null);
    node.awaitReady();
    for (int seed = 0; seed < 5; seed++) {
      final GenerationCall call = TestNode.call("call-" + seed, seed, 3 + 17 * seed, 20);
      assertEquals(TestNode.alone(call), node.answer(call));
    }
    assertTrue(node.node.stats().router().placedRemote() >= 4, node.figures());
    assertTrue(node.node.stats().transfer().receivedBytes() > 0, node.figures());
    node.awaitEmpty();
  }
}
