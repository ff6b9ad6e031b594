package dev.stator.cluster;

import static dev.stator.cluster.Words.address;
import static dev.stator.cluster.Words.words;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Set;
import org.apache.pekko.cluster.UniqueAddress;
import org.junit.jupiter.api.Test;

class ReachabilityTest {
  private static final UniqueAddress SELF = address(0);

  @Test
  void shouldLoseWhomThisNodeMisses() {
    assertEquals(Set.of(address(2)), Reachability.lost(words("0-2"), SELF, node -> true));
  }

  @Test
  void shouldLoseWhomTwoOthersMiss() {
    assertEquals(Set.of(address(2)), Reachability.lost(words("1-2", "3-2"), SELF, node -> true));
  }

  @Test
  void shouldLoseNobodyWhenOneThatWakesMissesAll() {
    assertEquals(
        Set.of(), Reachability.lost(words("4-0", "4-1", "4-2", "4-3"), SELF, node -> true));
  }

  @Test
  void shouldNotHearWhoHasNoWord() {
    assertEquals(
        Set.of(), Reachability.lost(words("3-1", "4-1"), SELF, node -> !node.equals(address(4))));
  }
}
