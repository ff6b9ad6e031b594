package dev.stator.transport.aeron;

import com.typesafe.config.Config;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * {@code stator.transport.aeron} in reference.conf; read and checked once, at start.
 *
 * @param directory of an external media driver; empty for one of our own
 * @param home where media drivers of our own have their folders
 * @param ipcTermLength bytes of a term of a connection's log within the host, which has three
 * @param queueBlocks waiting for one connection
 * @param inFlightBlocksMax sent on one connection and not acknowledged
 * @param connectionsMax in each direction
 * @param connectTimeout until a connection is open, or the peer is unreachable
 * @param acknowledgeTimeout silence of a peer that owes acknowledgements
 * @param idleTimeout after which an unused connection is closed
 * @param driverTimeout silence of another process's media driver
 * @param livenessTimeout silence of a client or image
 * @param parkMax longest sleep of the thread between blocks
 * @param dozeMax longest sleep when nothing has happened for a second
 */
public record AeronSettings(
    Optional<Path> directory,
    Path home,
    int ipcTermLength,
    int queueBlocks,
    int inFlightBlocksMax,
    int connectionsMax,
    Duration connectTimeout,
    Duration acknowledgeTimeout,
    Duration idleTimeout,
    Duration driverTimeout,
    Duration livenessTimeout,
    Duration parkMax,
    Duration dozeMax,
    Udp udp) {
  private static final int TERM_LENGTH_MIN = 64 * 1024;
  private static final int TERM_LENGTH_MAX = 1 << 30;

  /**
   * {@code stator.transport.aeron.udp}.
   *
   * @param host of this process, as others reach it; also what is bound
   * @param port 0 for any free one
   * @param mtu bytes of a datagram's payload; 0 for what the interface carries
   * @param termLength bytes of a term of a connection's log, which has three
   * @param windowLength bytes that a sender may be ahead of its receiver
   * @param socketBufferLength bytes, of each socket and direction
   */
  public record Udp(
      String host, int port, int mtu, int termLength, int windowLength, int socketBufferLength) {
    public Udp {
      require(!host.isBlank(), "udp.host", "a host", "nothing");
      require(port >= 0 && port <= 0xFFFF, "udp.port", "0..65535", port);
      require(
          mtu == 0 || (mtu >= 1024 && mtu <= Channels.MTU_MAX && mtu % 32 == 0),
          "udp.mtu",
          "0, or a multiple of 32 in 1024.." + Channels.MTU_MAX,
          mtu);
      requireTerm("udp.term-length", termLength);
      require(windowLength >= Channels.MTU_MAX, "udp.window", "at least 65504 bytes", windowLength);
      require(
          socketBufferLength >= windowLength,
          "udp.socket-buffer",
          "at least udp.window",
          socketBufferLength);
    }
  }

  public AeronSettings {
    requireTerm("ipc.term-length", ipcTermLength);
    require(queueBlocks > 0, "queue-blocks", "a positive number", queueBlocks);
    require(inFlightBlocksMax > 0, "in-flight-blocks-max", "a positive number", inFlightBlocksMax);
    require(connectionsMax > 0, "connections-max", "a positive number", connectionsMax);
    requirePositive("connect-timeout", connectTimeout);
    requirePositive("acknowledge-timeout", acknowledgeTimeout);
    requirePositive("idle-timeout", idleTimeout);
    // A driver tells that it lives once a second, a client every half.
    requireAtLeast("driver-timeout", driverTimeout, Duration.ofMillis(1500));
    requireAtLeast("liveness-timeout", livenessTimeout, Duration.ofMillis(1500));
    requireAtLeast("park-max", parkMax, Duration.ofNanos(50_000));
    requireAtLeast("doze-max", dozeMax, parkMax);
  }

  /**
   * @param config at {@code stator.transport.aeron}
   */
  public static AeronSettings from(Config config) {
    final Config udp = config.getConfig("udp");
    final String directory = config.getString("directory");
    return new AeronSettings(
        directory.isEmpty() ? Optional.empty() : Optional.of(Path.of(directory)),
        Path.of(config.getString("home")),
        bytes(config.getConfig("ipc"), "term-length"),
        config.getInt("queue-blocks"),
        config.getInt("in-flight-blocks-max"),
        config.getInt("connections-max"),
        config.getDuration("connect-timeout"),
        config.getDuration("acknowledge-timeout"),
        config.getDuration("idle-timeout"),
        config.getDuration("driver-timeout"),
        config.getDuration("liveness-timeout"),
        config.getDuration("park-max"),
        config.getDuration("doze-max"),
        new Udp(
            udp.getString("host"),
            udp.getInt("port"),
            bytes(udp, "mtu"),
            bytes(udp, "term-length"),
            bytes(udp, "window"),
            bytes(udp, "socket-buffer")));
  }

  private static int bytes(Config config, String key) {
    return (int) Math.min(Integer.MAX_VALUE, config.getBytes(key));
  }

  private static void requireTerm(String key, int length) {
    require(
        length >= TERM_LENGTH_MIN && length <= TERM_LENGTH_MAX && Integer.bitCount(length) == 1,
        key,
        "a power of two in 64 KiB..1 GiB",
        length);
  }

  private static void requireAtLeast(String key, Duration value, Duration least) {
    require(value.compareTo(least) >= 0, key, "at least " + least, value);
  }

  private static void requirePositive(String key, Duration value) {
    require(value.isPositive(), key, "a positive duration", value);
  }

  private static void require(boolean holds, String key, String expected, Object found) {
    if (holds) return;
    throw new IllegalArgumentException(
        "stator.transport.aeron." + key + " must be " + expected + ": " + found);
  }
}
