package dev.stator.cluster;

import java.util.Comparator;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.pekko.cluster.ClusterEvent.CurrentClusterState;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;

/** What members of the cluster say of themselves by their roles: node name and node roles. */
final class Members {
  /** The member role of nodes with engines. */
  static final String WORKER = "worker";

  private static final String NAME_PREFIX = "name=";

  private Members() {}

  /** The member role by which a node's name is known. */
  static String nameRole(String nodeName) {
    return NAME_PREFIX + nodeName;
  }

  /** The node's name. */
  static String nameOf(Member member) {
    return member.getRoles().stream()
        .filter(role -> role.startsWith(NAME_PREFIX))
        .findFirst()
        .map(role -> role.substring(NAME_PREFIX.length()))
        .orElse(member.address().hostPort());
  }

  static Set<NodeRole> rolesOf(Member member) {
    final Set<NodeRole> roles = EnumSet.noneOf(NodeRole.class);
    for (NodeRole role : NodeRole.values()) if (member.hasRole(role.text())) roles.add(role);
    return roles;
  }

  static Stream<Member> all(CurrentClusterState state) {
    return StreamSupport.stream(state.getMembers().spliterator(), false);
  }

  /**
   * The living member of this name. A name is its bearer's until that one goes: of several
   * reachable ones it is the oldest.
   */
  static Optional<Member> named(String nodeName, CurrentClusterState state) {
    return all(state)
        .filter(member -> member.hasRole(nameRole(nodeName)))
        .filter(Members::isStaying)
        .max(
            Comparator.comparing((Member member) -> !state.getUnreachable().contains(member))
                .thenComparing(Comparator.comparingInt(Member::upNumber).reversed()));
  }

  static boolean isStaying(Member member) {
    return member.status().equals(MemberStatus.up())
        || member.status().equals(MemberStatus.weaklyUp())
        || member.status().equals(MemberStatus.joining());
  }
}
