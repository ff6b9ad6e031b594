package dev.stator.cluster;

import java.time.Duration;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.Props;
import org.apache.pekko.cluster.Cluster;
import org.apache.pekko.cluster.DowningProvider;
import org.apache.pekko.cluster.UniqueAddress;
import org.apache.pekko.cluster.sbr.SplitBrainResolverProvider;
import org.apache.pekko.cluster.sbr.SplitBrainResolverSettings;
import scala.Option;
import scala.concurrent.duration.FiniteDuration;

/**
 * Pekko's split-brain resolver with its keep-majority rule, see {@link DowningRule}. Pekko makes
 * it, by its name in stator-cluster.conf.
 */
public final class MajorityDowning extends DowningProvider {
  private final ActorSystem system;

  /** For Pekko. */
  public MajorityDowning(ActorSystem system) {
    this.system = system;
  }

  @Override
  public FiniteDuration downRemovalMargin() {
    return new SplitBrainResolverProvider(system).downRemovalMargin();
  }

  @Override
  public Option<Props> downingActorProps() {
    final SplitBrainResolverSettings settings =
        new SplitBrainResolverSettings(system.settings().config());
    final Cluster cluster = Cluster.get(system);
    final UniqueAddress self = cluster.selfUniqueAddress();
    return Option.apply(
        Downing.props(
            settings.DowningStableAfter(),
            new DowningRule(
                cluster.selfDataCenter(),
                settings.keepMajorityRole(),
                self,
                cluster.settings().MonitoredByNrOfMembers(),
                Duration.ofNanos(settings.DowningStableAfter().toNanos()),
                System::nanoTime)));
  }
}
