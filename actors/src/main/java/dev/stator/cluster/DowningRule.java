package dev.stator.cluster;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.pekko.actor.Address;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.Reachability;
import org.apache.pekko.cluster.UniqueAddress;
import org.apache.pekko.cluster.sbr.DowningStrategy;
import org.apache.pekko.cluster.sbr.KeepMajority;
import scala.Option;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Pekko's keep-majority rule, for which what a dead node has said of others counts no more.
 *
 * <pre>
 *   A dies.   B, C, D, E:  A does not answer
 *   B dies.      C, D, E:  A, B do not answer;   B's word that A does not answer stays
 * </pre>
 *
 * Pekko takes a node that does not answer, and has said the same of another, for one that has lost
 * some of its links only; it finds no way to part it from the others, and removes all nodes. But
 * whom a node misses that nobody misses is gone: its word is dropped here. Without such a node, as
 * where links between living nodes are cut, Pekko decides as it always does. One thread.
 */
final class DowningRule extends DowningStrategy {
  private final KeepMajority majority;

  DowningRule(String dataCenter, Option<String> role, UniqueAddress self) {
    super(dataCenter, self);
    this.majority = new KeepMajority(dataCenter, role, self);
  }

  /** Without the words of those who are missed by somebody whom nobody misses. */
  static Reachability withoutTheGone(Reachability reachability) {
    final List<Reachability.Record> records = new ArrayList<>();
    CollectionConverters.asJava(reachability.records())
        .forEach(record -> {
          if (!reachability.isReachable(record.observer(), record.subject())) records.add(record);
        });
    final Set<UniqueAddress> missed = new HashSet<>();
    for (Reachability.Record record : records) missed.add(record.subject());
    final Set<UniqueAddress> gone = new HashSet<>();
    for (Reachability.Record record : records) {
      if (!missed.contains(record.observer())) gone.add(record.subject());
    }
    return reachability.filterRecords(record -> !gone.contains(record.observer()));
  }

  @Override
  public void setReachability(Reachability reachability) {
    final Reachability words = withoutTheGone(reachability);
    super.setReachability(words);
    majority.setReachability(words);
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
    return majority.nodesToDown(decision);
  }

  @Override
  public void addUnreachable(Member member) {
    super.addUnreachable(member);
    majority.addUnreachable(member);
  }

  @Override
  public void addReachable(Member member) {
    super.addReachable(member);
    majority.addReachable(member);
  }

  @Override
  public void add(Member member) {
    super.add(member);
    majority.add(member);
  }

  @Override
  public void remove(Member member) {
    super.remove(member);
    majority.remove(member);
  }

  @Override
  public void setSeenBy(scala.collection.immutable.Set<Address> seenBy) {
    super.setSeenBy(seenBy);
    majority.setSeenBy(seenBy);
  }
}
