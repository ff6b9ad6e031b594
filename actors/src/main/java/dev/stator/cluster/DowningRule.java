package dev.stator.cluster;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.LongSupplier;
import org.apache.pekko.actor.Address;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.Reachability;
import org.apache.pekko.cluster.UniqueAddress;
import org.apache.pekko.cluster.sbr.DowningStrategy;
import org.apache.pekko.cluster.sbr.DowningStrategy.DownUnreachable$;
import org.apache.pekko.cluster.sbr.KeepMajority;
import scala.Option;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Pekko's keep-majority rule, for which only credible words about others count, see {@link
 * SilentWords}: Pekko takes a node that does not answer, and has said the same of another, for one
 * that has lost some of its links only; it finds no way to part it from the others, and removes all
 * nodes.
 *
 * <p>And who has not answered for less than down-after is spared, whenever the decision is made.
 * One thread.
 */
final class DowningRule extends DowningStrategy {
  /** How often down-after somebody may be silent while others come and go. */
  private static final int PATIENCE = 2;

  private final KeepMajority majority;
  private final int watchersMax;
  private final long downAfterNs;
  private final LongSupplier nanoClock;
  private final Map<UniqueAddress, Member> members = new HashMap<>();
  private final Map<UniqueAddress, Long> silentSinceNs = new HashMap<>();
  private Reachability said = Reachability.empty();

  /**
   * @param watchersMax nodes that look after each node
   */
  DowningRule(
      String dataCenter,
      Option<String> role,
      UniqueAddress self,
      int watchersMax,
      Duration downAfter,
      LongSupplier nanoClock) {
    super(dataCenter, self);
    this.watchersMax = watchersMax;
    this.majority = new KeepMajority(dataCenter, role, self);
    this.downAfterNs = downAfter.toNanos();
    this.nanoClock = nanoClock;
  }

  static scala.collection.immutable.Set<UniqueAddress> nobody() {
    return CollectionConverters.asScala(Set.<UniqueAddress>of()).toSet();
  }

  /** Until somebody has been silent for too long, even if things change; empty if nobody is. */
  OptionalLong patienceLeftNs() {
    final long nowNs = nanoClock.getAsLong();
    return silentSinceNs.values().stream()
        .mapToLong(sinceNs -> sinceNs + PATIENCE * downAfterNs - nowNs)
        .min();
  }

  @Override
  public void setReachability(Reachability reachability) {
    super.setReachability(reachability);
    said = reachability;
    weigh();
  }

  /** What counts of all that is said makes the majority's picture. */
  private void weigh() {
    final Set<UniqueAddress> down = new HashSet<>();
    for (Member member : members.values()) {
      if (member.status().equals(MemberStatus.down())) down.add(member.uniqueAddress());
    }
    final boolean allWatchAll = members.size() <= watchersMax + 1;
    final Reachability words =
        new SilentWords(said).without(down).credible(allWatchAll ? members.size() : 0);
    majority.setReachability(words);
    final Set<UniqueAddress> missed =
        CollectionConverters.asJava(words.allUnreachableOrTerminated());
    for (Member member : members.values()) {
      final UniqueAddress node = member.uniqueAddress();
      if (missed.contains(node)) majority.addUnreachable(member);
      else majority.addReachable(member);
      if (missed.contains(node) && !isGoing(member)) {
        silentSinceNs.putIfAbsent(node, nanoClock.getAsLong());
      } else silentSinceNs.remove(node);
    }
  }

  private static boolean isGoing(Member member) {
    return member.status().equals(MemberStatus.down())
        || member.status().equals(MemberStatus.exiting());
  }

  @Override
  public Option<String> role() {
    return majority.role();
  }

  @Override
  public Decision decide() {
    return majority.decide();
  }

  @Override
  public scala.collection.immutable.Set<UniqueAddress> nodesToDown(Decision decision) {
    final var nodes = majority.nodesToDown(decision);
    if (decision != DownUnreachable$.MODULE$) return nodes;
    final Set<UniqueAddress> longSilent = new HashSet<>(CollectionConverters.asJava(nodes));
    longSilent.removeIf(this::isSilentSinceShort);
    return CollectionConverters.asScala(longSilent).toSet();
  }

  private boolean isSilentSinceShort(UniqueAddress node) {
    final Long sinceNs = silentSinceNs.get(node);
    return sinceNs != null && nanoClock.getAsLong() - sinceNs < downAfterNs;
  }

  @Override
  public void addUnreachable(Member member) {
    super.addUnreachable(member);
    know(member);
  }

  @Override
  public void addReachable(Member member) {
    super.addReachable(member);
    know(member);
  }

  @Override
  public void add(Member member) {
    super.add(member);
    know(member);
  }

  private void know(Member member) {
    members.put(member.uniqueAddress(), member);
    weigh();
  }

  @Override
  public void remove(Member member) {
    super.remove(member);
    majority.remove(member);
    members.remove(member.uniqueAddress());
    silentSinceNs.remove(member.uniqueAddress());
    weigh();
  }

  @Override
  public void setSeenBy(scala.collection.immutable.Set<Address> seenBy) {
    super.setSeenBy(seenBy);
    majority.setSeenBy(seenBy);
  }
}
