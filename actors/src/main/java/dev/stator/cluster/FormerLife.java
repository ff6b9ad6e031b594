package dev.stator.cluster;

import java.util.function.Predicate;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.ClusterEvent.ReachabilityEvent;
import org.apache.pekko.cluster.ClusterEvent.UnreachableMember;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Down;
import org.apache.pekko.cluster.typed.Subscribe;

/**
 * Removes what is left of this node's former life: a member of its name that does not answer. Until
 * that is gone no node can join, and waiting for the majority's word would take down-after. One
 * that answers has the name, and stays.
 */
final class FormerLife {
  private FormerLife() {}

  static Behavior<ReachabilityEvent> create(String nodeName) {
    return Behaviors.setup(context -> {
      context.setLoggerName(FormerLife.class);
      final Cluster cluster = Cluster.get(context.getSystem());
      final Predicate<Member> isFormer =
          member ->
              member.hasRole(Members.nameRole(nodeName))
                  && !member.uniqueAddress().equals(cluster.selfMember().uniqueAddress());
      cluster.subscriptions().tell(Subscribe.create(context.getSelf(), ReachabilityEvent.class));
      return Behaviors.receiveMessage(event -> {
        if (event instanceof UnreachableMember lost && isFormer.test(lost.member())) {
          context.getLog().warn("Our former life at [{}] is gone", lost.member().address());
          cluster.manager().tell(new Down(lost.member().address()));
        }
        return Behaviors.same();
      });
    });
  }
}
