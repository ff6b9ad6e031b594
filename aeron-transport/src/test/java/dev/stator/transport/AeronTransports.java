package dev.stator.transport;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.stator.transport.aeron.AeronSettings;
import dev.stator.transport.aeron.AeronTransport;

/** Transports for tests: as configured, with less patience. */
final class AeronTransports {
  private static final String TIMES =
      """
      connect-timeout = 1s, acknowledge-timeout = 500ms, driver-timeout = 2s, liveness-timeout = 2s
      """;

  private AeronTransports() {}

  static AeronTransport create() {
    return create("");
  }

  /**
   * @param overrides of {@code stator.transport.aeron}
   */
  static AeronTransport create(String overrides) {
    return AeronTransport.create(AeronSettings.from(config(overrides)));
  }

  static Config config(String overrides) {
    return ConfigFactory.parseString(overrides)
        .withFallback(ConfigFactory.parseString(TIMES))
        .withFallback(ConfigFactory.load().getConfig("stator.transport.aeron"));
  }

  static TransferBackend ipc() {
    final AeronTransport transport = create();
    transport.udp().close();
    return transport.ipc();
  }

  static TransferBackend udp() {
    final AeronTransport transport = create();
    transport.ipc().close();
    return transport.udp();
  }
}
