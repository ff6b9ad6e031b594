package dev.stator.cluster;

import static dev.stator.cluster.Words.address;
import static dev.stator.cluster.Words.words;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.Reachability;
import org.apache.pekko.util.Version;
import org.junit.jupiter.api.Test;
import scala.Option;
import scala.jdk.javaapi.CollectionConverters;

class DowningRuleTest {
  private static final String DATA_CENTER = "default";
  private static final int WATCHERS = 9;
  private static final Duration DOWN_AFTER = Duration.ofSeconds(8);
  private static final List<Member> NODES = nodes(5);

  private long nowNs;

  @Test
  void shouldRemoveOnlyTheDeadWhenOneOfThemHadMissedAnother() {
    // 0 dies; all miss it. 1 dies before 0 is removed.
    final Reachability words = words("1-0", "2-0", "3-0", "4-0", "2-1", "3-1", "4-1");
    assertEquals(Set.of(0, 1), removedBy(3, words));
  }

  @Test
  void shouldRemoveOnlyTheDeadWhenOneDiesAfterTheOther() {
    final Reachability words =
        words(
            "1-0", "2-0", "3-0", "4-0", "5-0", "6-0", "2-1", "3-1", "4-1", "5-1", "6-1", "3-2",
            "4-2", "5-2", "6-2");
    assertEquals(Set.of(0, 1, 2), removedBy(5, words, nodes(7)));
  }

  @Test
  void shouldRemoveTheMinorityWhenItIsCutOff() {
    assertEquals(Set.of(0, 1), removedBy(1, words("0-2", "0-3", "0-4", "1-2", "1-3", "1-4")));
    assertEquals(
        Set.of(0, 1), removedBy(2, words("2-0", "2-1", "3-0", "3-1", "4-0", "4-1", "0-1")));
  }

  @Test
  void shouldRemoveBothWhenTheLinkBetweenTwoLivingNodesIsCut() {
    assertEquals(Set.of(0, 1), removedBy(3, words("0-1", "1-0")));
  }

  @Test
  void shouldRemoveTheDeadAndBothWhenALinkIsCutAsWell() {
    final Reachability words = words("0-1", "1-0", "0-4", "1-4", "2-4", "3-4");
    assertEquals(Set.of(0, 1, 4), removedBy(3, words));
  }

  @Test
  void shouldRemoveAllThatAreLeftWhenMostAreGone() {
    final Reachability words = words("3-0", "4-0", "3-1", "4-1", "3-2", "4-2", "1-0");
    assertEquals(Set.of(3, 4), removedBy(3, words));
  }

  @Test
  void shouldSpareWhoIsSilentSinceShortWhenAnotherHasBeenForLong() {
    final DowningRule rule = rule(4, NODES);
    assertEquals(OptionalLong.empty(), rule.patienceLeftNs());
    rule.setReachability(words("2-0", "3-0", "4-0"));
    nowNs += 2 * DOWN_AFTER.toNanos() - 1;
    rule.setReachability(words("2-0", "3-0", "4-0", "2-1", "3-1", "4-1"));
    assertEquals(OptionalLong.of(1), rule.patienceLeftNs());
    assertEquals(Set.of(0), removed(rule));
    nowNs += DOWN_AFTER.toNanos();
    assertEquals(Set.of(0, 1), removed(rule));
  }

  @Test
  void shouldForgetTheSilenceWhenTheNodeAnswersOrIsRemoved() {
    final DowningRule rule = rule(4, NODES);
    rule.setReachability(words("4-0", "4-1"));
    rule.setReachability(words("4-1"));
    rule.add(NODES.get(1).copy(MemberStatus.down()));
    assertEquals(OptionalLong.empty(), rule.patienceLeftNs());
  }

  @Test
  void shouldKeepEverybodyWhenARemovedNodeWakesAndMissesAll() {
    final DowningRule rule = rule(1, NODES);
    rule.add(NODES.get(0).copy(MemberStatus.down()));
    NODES.subList(1, 5).forEach(rule::addUnreachable); // As the cluster counts them.
    rule.setReachability(words("0-1", "0-2", "0-3", "0-4", "1-4", "2-4"));
    nowNs += DOWN_AFTER.toNanos();
    assertEquals(Set.of(4), removed(rule));
  }

  @Test
  void shouldRemoveOnlyTheDeadWhenOneHadJustWokenAndMissedAnother() {
    // 0 hung, woke, was found again, and died before it had found 4; 1 is dead.
    final Reachability words = words("0-4", "0-1", "2-1", "3-1", "4-1", "5-1", "6-1");
    assertEquals(Set.of(1), removedBy(3, words, nodes(7)));
  }

  @Test
  void shouldRemoveOnlyTheDeadWhenItWokeAndMissedAllBeforeItDied() {
    final Reachability words = words("0-1", "0-2", "0-3", "0-4", "1-0", "2-0", "3-0", "4-0");
    assertEquals(Set.of(0), removedBy(3, words));
  }

  @Test
  void shouldRemoveWhoIsMissedByFewWhenNotEverybodyWatchesEverybody() {
    assertEquals(Set.of(0), removedBy(3, words("9-0"), nodes(WATCHERS + 2)));
  }

  private Set<Integer> removedBy(int self, Reachability words) {
    return removedBy(self, words, NODES);
  }

  /** Which nodes a node would remove when nothing has changed for long. */
  private Set<Integer> removedBy(int self, Reachability words, List<Member> nodes) {
    final DowningRule rule = rule(self, nodes);
    CollectionConverters.asJava(words.allUnreachable())
        .forEach(gone ->
            nodes.stream()
                .filter(node -> node.uniqueAddress().equals(gone))
                .forEach(rule::addUnreachable));
    rule.setReachability(words);
    nowNs += DOWN_AFTER.toNanos();
    return removed(rule);
  }

  private DowningRule rule(int self, List<Member> nodes) {
    final DowningRule rule =
        new DowningRule(
            DATA_CENTER,
            Option.empty(),
            nodes.get(self).uniqueAddress(),
            WATCHERS,
            DOWN_AFTER,
            () -> nowNs);
    nodes.forEach(rule::add);
    return rule;
  }

  private static Set<Integer> removed(DowningRule rule) {
    final Set<Integer> removed = new TreeSet<>();
    CollectionConverters.asJava(rule.nodesToDown(rule.decide()))
        .forEach(node -> removed.add((int) node.longUid()));
    return removed;
  }

  private static List<Member> nodes(int count) {
    final List<Member> nodes = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      final scala.collection.immutable.Set<String> roles =
          CollectionConverters.asScala(Set.of("dc-" + DATA_CENTER)).toSet();
      nodes.add(new Member(address(i), i + 1, MemberStatus.up(), roles, Version.Zero()));
    }
    return nodes;
  }
}
