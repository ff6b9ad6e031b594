package dev.stator.multijvm.harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/**
 * Hosts on a network of their own: network namespaces on one bridge, which this process reaches,
 * too. Made with root's rights and iproute2; where these are missing the test is skipped, which
 * says so.
 *
 * <pre>
 *   this process ── bridge 10.213.N.254 ──┬── host 1, 10.213.N.1
 *                                         └── host 2, 10.213.N.2 ...
 * </pre>
 *
 * One test thread.
 */
public final class TestNetwork implements AutoCloseable {
  private static final Duration COMMAND_TIME_MAX = Duration.ofSeconds(20);
  private static final int DAMAGE_OFFSET = 600; // Bytes, from the UDP header on.

  private final int number; // Two networks of one machine must differ.
  private final int hostCount;

  private TestNetwork(int number, int hostCount) {
    this.number = number;
    this.hostCount = hostCount;
  }

  /** A network of {@code hostCount} hosts, numbered from 1. */
  public static TestNetwork orSkip(int hostCount) {
    final String user = System.getProperty("user.name");
    Assumptions.assumeTrue(user.equals("root"), "needs root, to make network namespaces");
    Assumptions.assumeTrue(succeeds("ip", "netns", "list"), "needs iproute2 with namespaces");
    final int number = (int) (ProcessHandle.current().pid() % 250);
    final TestNetwork network = new TestNetwork(number, hostCount);
    network.close(); // What a killed run may have left.
    try {
      network.build();
    } catch (AssertionError refused) {
      network.close();
      Assumptions.abort("needs a machine that makes network namespaces: " + refused.getMessage());
    }
    return network;
  }

  private void build() {
    run("ip", "link", "add", bridge(), "type", "bridge");
    run("ip", "address", "add", prefix() + "254/24", "dev", bridge());
    run("ip", "link", "set", bridge(), "up");
    for (int host = 1; host <= hostCount; host++) {
      run("ip", "netns", "add", namespace(host));
      run(
          "ip",
          "link",
          "add",
          port(host),
          "type",
          "veth",
          "peer",
          "name",
          "eth0",
          "netns",
          namespace(host));
      run("ip", "link", "set", port(host), "master", bridge(), "up");
      inside(host, "ip", "address", "add", address(host) + "/24", "dev", "eth0");
      inside(host, "ip", "link", "set", "lo", "up");
      inside(host, "ip", "link", "set", "eth0", "up");
    }
  }

  /** A host's address. */
  public String address(int host) {
    return prefix() + host;
  }

  /** What stands before a command that shall run on a host. */
  public List<String> on(int host) {
    return List.of("ip", "netns", "exec", namespace(host));
  }

  /** Nothing reaches the host, nor leaves it; nobody is told. */
  public void cut(int host) {
    run("ip", "link", "set", port(host), "down");
  }

  /** The opposite of {@link #cut}. */
  public void heal(int host) {
    run("ip", "link", "set", port(host), "up");
  }

  /** Loses a share of the UDP packets that arrive at a host; skips the test without nftables. */
  public void loseUdp(int host, int percent) {
    Assumptions.assumeTrue(succeeds("nft", "--version"), "needs nftables, to lose packets");
    inside(host, "nft", "add", "table", "ip", "loss");
    inside(
        host, "nft", "add", "chain", "ip", "loss", "in", "{ type filter hook input priority 0; }");
    final String rule = "ip protocol udp numgen random mod 100 < " + percent + " drop";
    inside(host, "nft", "add", "rule", "ip", "loss", "in", rule);
  }

  /**
   * Damages every {@code nth} long UDP packet that arrives at a host: four bytes somewhere in the
   * middle. Skips the test without nftables.
   */
  public void corruptUdp(int host, int nth) {
    Assumptions.assumeTrue(succeeds("nft", "--version"), "needs nftables, to damage packets");
    inside(host, "nft", "add", "table", "ip", "damage");
    inside(
        host,
        "nft",
        "add",
        "chain",
        "ip",
        "damage",
        "in",
        "{ type filter hook prerouting priority -300; }");
    final String rule =
        "ip protocol udp udp length > 1000 numgen inc mod %d 0 @th,%d,32 set 0xdeadbeef"
            .formatted(nth, DAMAGE_OFFSET * Byte.SIZE);
    inside(host, "nft", "add", "rule", "ip", "damage", "in", rule);
  }

  /** UDP ports that a process on a host of its own has bound. */
  public static List<Integer> udpPorts(StatorProcess process) throws IOException {
    final Path table = Path.of("/proc", Long.toString(process.pid()), "net", "udp");
    return Files.readAllLines(table).stream()
        .skip(1) // The heading.
        .map(line -> line.strip().split("\\s+")[1])
        .map(address -> Integer.parseInt(address.substring(address.indexOf(':') + 1), 16))
        .distinct()
        .toList();
  }

  /** Limits what leaves a host, in bytes a second. */
  public void limitRate(int host, long bytesPerSecond) {
    final String rate = bytesPerSecond * 8 + "bit";
    inside(
        host, "tc", "qdisc", "replace", "dev", "eth0", "root", "tbf", "rate", rate, "burst",
        "256kb", "latency", "200ms");
  }

  @Override
  public void close() {
    for (int host = 1; host <= hostCount; host++) {
      succeeds("ip", "netns", "delete", namespace(host));
      succeeds("ip", "link", "delete", port(host));
    }
    succeeds("ip", "link", "delete", bridge());
  }

  private String bridge() {
    return "stbr" + number;
  }

  private String namespace(int host) {
    return "stator" + number + "-" + host;
  }

  private String port(int host) {
    return "stv" + number + "-" + host;
  }

  private String prefix() {
    return "10.213." + number + ".";
  }

  private void inside(int host, String... command) {
    final List<String> words = new ArrayList<>(on(host));
    words.addAll(List.of(command));
    run(words.toArray(String[]::new));
  }

  private static boolean succeeds(String... command) {
    try {
      run(command);
      return true;
    } catch (AssertionError failed) {
      return false;
    }
  }

  private static void run(String... command) {
    SystemCommand.run(COMMAND_TIME_MAX, command);
  }
}
