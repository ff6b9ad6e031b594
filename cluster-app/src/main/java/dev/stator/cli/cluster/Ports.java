package dev.stator.cli.cluster;

import dev.stator.cli.CommandException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/** Ports of this machine. */
final class Ports {
  /** Below those that systems give to outgoing connections, so that a node finds its port again. */
  private static final int FIRST = 20_000;

  private static final int COUNT = 12_000;

  private Ports() {}

  /**
   * Ports that are free now on an address.
   *
   * @param random where the search begins, so that clusters that start at once seldom meet
   */
  static List<Integer> free(String host, int count, RandomGenerator random) {
    final List<Integer> ports = new ArrayList<>();
    final int start = random.nextInt(COUNT);
    for (int i = 0; i < COUNT && ports.size() < count; i++) {
      final int port = FIRST + (start + i) % COUNT;
      if (isFree(host, port)) ports.add(port);
    }
    if (ports.size() < count) throw new CommandException("no free ports on " + host);
    return ports;
  }

  static boolean isFree(String host, int port) {
    try (ServerSocket socket = new ServerSocket()) {
      socket.bind(new InetSocketAddress(InetAddress.getByName(host), port));
      return true;
    } catch (IOException taken) {
      return false;
    }
  }
}
