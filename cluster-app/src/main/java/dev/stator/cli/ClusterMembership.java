package dev.stator.cli;

import dev.stator.cluster.NodeRole;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What the user asked of a node as a member of a cluster, checked for itself.
 *
 * @param nodeName unique in the cluster
 * @param roles what it is there for; at least one
 * @param host address that the other members reach it at
 * @param port that they reach it at; 0 takes any free one
 * @param founds whether it begins a cluster of its own when none of {@code contacts} answers
 * @param contacts {@code host:port} of members to join through
 * @param slots engine slots, on a node with a worker role
 * @param stateFile where it writes how it can be reached, once it serves
 */
public record ClusterMembership(
    String nodeName,
    Set<NodeRole> roles,
    String host,
    int port,
    boolean founds,
    List<String> contacts,
    int slots,
    Optional<Path> stateFile) {
  private static final Pattern CONTACT =
      Pattern.compile("(\\[[0-9a-fA-F:.]+]|[^:\\s\\[\\]]+):(\\d{1,5})");
  private static final int SLOTS_MAX = 64;

  /**
   * @throws UsageException when something is out of its range
   */
  public ClusterMembership {
    roles = Set.copyOf(roles);
    contacts = List.copyOf(contacts);
    if (roles.isEmpty()) throw new UsageException("--role must name at least one role");
    if (host.isBlank()) throw new UsageException("--cluster-host must not be empty");
    if (host.equals("0.0.0.0") || host.equals("::")) {
      throw new UsageException(
          "--cluster-host must be an address that other members can reach, not " + host);
    }
    if (port < 0 || port > 65_535) {
      throw new UsageException("--cluster-port must be between 0 and 65535: " + port);
    }
    if (slots < 1 || slots > SLOTS_MAX) {
      throw new UsageException("--slots must be between 1 and %d: %d".formatted(SLOTS_MAX, slots));
    }
    if (!founds && contacts.isEmpty()) throw new UsageException("no member to join through");
    for (String contact : contacts) requireContact(contact);
  }

  /** Whether engines run there. */
  public boolean isWorker() {
    return roles.contains(NodeRole.PREFILL) || roles.contains(NodeRole.DECODE);
  }

  public boolean isFrontend() {
    return roles.contains(NodeRole.FRONTEND);
  }

  /**
   * Roles from {@code prefill,decode}; {@code all} is prefill, decode and frontend.
   *
   * @throws UsageException when there is no such role
   */
  public static Set<NodeRole> parseRoles(String text) {
    final Set<NodeRole> roles = EnumSet.noneOf(NodeRole.class);
    for (String word : text.split(",", -1)) {
      if (word.strip().equals("all")) {
        roles.addAll(EnumSet.of(NodeRole.PREFILL, NodeRole.DECODE, NodeRole.FRONTEND));
      } else {
        roles.add(parseRole(word.strip()));
      }
    }
    return roles;
  }

  private static NodeRole parseRole(String word) {
    try {
      return NodeRole.parse(word);
    } catch (IllegalArgumentException unknown) {
      throw new UsageException(
          "--role wants prefill, decode, frontend, router or all: '" + word + "'");
    }
  }

  /**
   * The members of {@code HOST:PORT[,HOST:PORT]}.
   *
   * @throws UsageException when it is none
   */
  public static List<String> parseContacts(String text) {
    final List<String> contacts = List.of(text.split(",", -1));
    for (String contact : contacts) requireContact(contact);
    return contacts;
  }

  private static void requireContact(String contact) {
    final var matcher = CONTACT.matcher(contact);
    if (!matcher.matches() || Integer.parseInt(matcher.group(2)) > 65_535) {
      throw new UsageException("a member is HOST:PORT, such as 10.0.0.1:17355: '" + contact + "'");
    }
  }
}
