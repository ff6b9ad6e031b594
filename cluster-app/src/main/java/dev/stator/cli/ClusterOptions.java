package dev.stator.cli;

import dev.stator.cluster.NodeRole;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import picocli.CommandLine.Option;

/** The options of a node that is a member of a cluster. */
final class ClusterOptions {
  static final int PORT_DEFAULT = 17_355;
  private static final String LOOPBACK = "127.0.0.1";

  @Option(
      names = "--role",
      paramLabel = "ROLE[,ROLE]",
      description = "prefill, decode, frontend, router or all (the first three). Default: all.")
  private String roles;

  @Option(
      names = "--cluster-host",
      paramLabel = "ADDRESS",
      description =
          "Address that the other members reach this node at. Default: 127.0.0.1, or the one that"
              + " leads to the first member given.")
  private String host;

  @Option(
      names = "--cluster-port",
      paramLabel = "PORT",
      description =
          "Port that they reach it at; 0 takes a free one. Default: 17355 for a seed, else a free"
              + " one.")
  private Integer port;

  @Option(
      names = "--slots",
      paramLabel = "N",
      defaultValue = "1",
      description = "Engine slots of this node, each with a KV pool and threads. Default: 1.")
  private int slots;

  @Option(names = "--state-file", paramLabel = "FILE", hidden = true)
  private Path stateFile;

  boolean hasRoles() {
    return roles != null;
  }

  Set<NodeRole> roles(String defaultRoles) {
    return ClusterMembership.parseRoles(roles == null ? defaultRoles : roles);
  }

  /** The membership of a node that founds a cluster unless a contact answers. */
  ClusterMembership founding(String name, Set<NodeRole> members, List<String> contacts) {
    return membership(name, members, true, contacts, PORT_DEFAULT);
  }

  /** The membership of a node that joins through a contact. */
  ClusterMembership joining(String name, Set<NodeRole> members, List<String> contacts) {
    return membership(name, members, false, contacts, 0);
  }

  private ClusterMembership membership(
      String name, Set<NodeRole> members, boolean founds, List<String> contacts, int portDefault) {
    return new ClusterMembership(
        name != null ? name : nameOf(members),
        members,
        host != null ? host : ownAddress(contacts),
        port != null ? port : portDefault,
        founds,
        contacts,
        slots,
        Optional.ofNullable(stateFile));
  }

  /** Such as {@code decode-3f9a}: unique enough for a node that nobody named. */
  private static String nameOf(Set<NodeRole> members) {
    final String roles =
        members.stream().sorted().map(NodeRole::text).collect(Collectors.joining("-"));
    return "%s-%04x".formatted(roles, new SecureRandom().nextInt(1 << 16));
  }

  /** The address of this machine that packets to the first contact leave from. */
  private static String ownAddress(List<String> contacts) {
    if (contacts.isEmpty()) return LOOPBACK;
    final String contact = contacts.getFirst();
    final int colon = contact.lastIndexOf(':');
    try (DatagramSocket socket = new DatagramSocket()) {
      socket.connect(
          new InetSocketAddress(
              contact.substring(0, colon), Integer.parseInt(contact.substring(colon + 1))));
      return socket.getLocalAddress().getHostAddress();
    } catch (IOException | RuntimeException unreachable) {
      return LOOPBACK; // Contacts are checked, and joining says what is wrong with them.
    }
  }
}
