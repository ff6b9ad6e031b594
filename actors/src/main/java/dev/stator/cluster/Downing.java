package dev.stator.cluster;

import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.Props;
import org.apache.pekko.cluster.Cluster;
import org.apache.pekko.cluster.ClusterEvent;
import org.apache.pekko.cluster.ClusterEvent.ClusterDomainEvent;
import org.apache.pekko.cluster.UniqueAddress;
import org.apache.pekko.cluster.sbr.DowningStrategy.Decision;
import org.apache.pekko.cluster.sbr.DowningStrategy.DownSelfQuarantinedByRemote$;
import org.apache.pekko.cluster.sbr.DowningStrategy.DownUnreachable$;
import org.apache.pekko.cluster.sbr.SplitBrainResolverBase;
import org.apache.pekko.remote.artery.ThisActorSystemQuarantinedEvent;
import scala.collection.immutable.Set;
import scala.concurrent.duration.Deadline;
import scala.concurrent.duration.Deadline$;
import scala.concurrent.duration.FiniteDuration;

/**
 * Pekko's split-brain resolver, which decides when nothing has changed for down-after; but where
 * nodes die and come all the time, so that something always changes, the majority removes who has
 * been silent for long enough.
 */
final class Downing extends SplitBrainResolverBase {
  private final Cluster cluster;
  private final DowningRule rule;

  static Props props(FiniteDuration downAfter, DowningRule rule) {
    return Props.create(Downing.class, () -> new Downing(downAfter, rule));
  }

  private Downing(FiniteDuration downAfter, DowningRule rule) {
    super(downAfter, rule);
    this.rule = rule;
    this.cluster = Cluster.get(context().system());
  }

  @Override
  public UniqueAddress selfUniqueAddress() {
    return cluster.selfUniqueAddress();
  }

  @Override
  public String selfDc() {
    return cluster.selfDataCenter();
  }

  @Override
  public void preStart() throws Exception {
    cluster.subscribe(self(), ClusterEvent.initialStateAsEvents(), ClusterDomainEvent.class);
    context().system().eventStream().subscribe(self(), ThisActorSystemQuarantinedEvent.class);
    super.preStart();
  }

  @Override
  public void postStop() {
    cluster.unsubscribe(self());
    context().system().eventStream().unsubscribe(self());
    super.postStop();
  }

  @Override
  public void down(UniqueAddress node, Decision decision) {
    cluster.down(node.address());
  }

  /** The deadline that Pekko looks at: when all is quiet, or when patience with somebody ends. */
  @Override
  public Deadline stableDeadline() {
    final Deadline quiet = super.stableDeadline();
    final OptionalLong patienceNs = rule.patienceLeftNs();
    if (patienceNs.isEmpty() || patienceNs.getAsLong() >= quiet.timeLeft().toNanos()) return quiet;
    return Deadline$.MODULE$
        .now()
        .$plus(FiniteDuration.apply(patienceNs.getAsLong(), TimeUnit.NANOSECONDS));
  }

  /** While things change, only this is sure enough: most are left and some gone, or we are. */
  @Override
  public Set<UniqueAddress> actOnDecision(Decision decision) {
    final boolean isQuiet = super.stableDeadline().isOverdue();
    final boolean isSure =
        decision == DownUnreachable$.MODULE$ || decision == DownSelfQuarantinedByRemote$.MODULE$;
    return isQuiet || isSure ? super.actOnDecision(decision) : DowningRule.nobody();
  }
}
