package dev.stator.transport.aeron;

import io.aeron.Aeron;
import io.aeron.AvailableImageHandler;
import io.aeron.Subscription;
import io.aeron.UnavailableImageHandler;
import io.aeron.exceptions.AeronException;
import java.io.File;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.agrona.CloseHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The media driver of this process, its client, and clients of other processes' drivers. None has a
 * thread of its own. <b>Threads:</b> the transport's.
 */
final class Station implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Station.class);

  /** A client of another process's driver, and how many connections use it. */
  private static final class Foreign {
    private final Aeron client;
    private int users;

    Foreign(Aeron client) {
      this.client = client;
    }
  }

  private final AeronSettings settings;
  private final AeronDriver driver;
  private final Map<String, Foreign> foreign = new HashMap<>();
  private Aeron own;

  Station(AeronSettings settings) {
    this.settings = settings;
    this.driver = AeronDriver.open(settings);
    try {
      this.own = connectOwn();
    } catch (AeronException failure) {
      driver.close();
      throw failure;
    }
  }

  private Aeron connectOwn() {
    return Aeron.connect(context(driver.directory()).driverAgentInvoker(driver.invoker()));
  }

  private Aeron.Context context(String directory) {
    return new Aeron.Context()
        .aeronDirectoryName(directory)
        .useConductorAgentInvoker(true)
        .driverTimeoutMs(settings.driverTimeout().toMillis())
        .resourceLingerDurationNs(0)
        .errorHandler(error -> LOG.debug("Aeron client at {}", directory, error))
        .subscriberErrorHandler(error -> LOG.warn("A frame could not be handled", error));
  }

  String driverDirectory() {
    return driver.directory();
  }

  /** Subscribes at our own driver; waits for it. */
  Subscription subscribe(
      String channel, int stream, AvailableImageHandler opened, UnavailableImageHandler closed) {
    return own.addSubscription(channel, stream, opened, closed);
  }

  Aeron own() {
    return own;
  }

  /** A client of a driver, to be {@link #release released}; {@code null} when nobody is there. */
  Aeron acquire(Optional<String> foreignDirectory) {
    if (foreignDirectory.isEmpty()) return own.isClosed() ? null : own;
    final String directory = foreignDirectory.get();
    Foreign found = foreign.get(directory);
    if (found != null && found.client.isClosed()) {
      foreign.remove(directory); // Its users find it closed by themselves.
      found = null;
    }
    if (found == null) {
      if (!AeronDriver.isActive(new File(directory), settings)) return null;
      found = new Foreign(Aeron.connect(context(directory)));
      foreign.put(directory, found);
    }
    found.users++;
    return found.client;
  }

  void release(Optional<String> foreignDirectory, Aeron client) {
    if (foreignDirectory.isEmpty()) return;
    final Foreign found = foreign.get(foreignDirectory.get());
    if (found == null || found.client != client) return;
    if (--found.users > 0) return;
    foreign.remove(foreignDirectory.get());
    CloseHelper.close(error -> LOG.debug("Closing a client", error), client);
  }

  /** As {@link AeronDriver#invalidDatagrams}. */
  long invalidDatagrams() {
    return driver.invalidDatagrams();
  }

  int doWork() {
    int work = driver.doWork() + invoke(own);
    if (foreign.isEmpty()) return work;
    for (Foreign other : foreign.values()) work += invoke(other.client);
    return work;
  }

  private static int invoke(Aeron client) {
    return client.isClosed() ? 0 : client.conductorAgentInvoker().invoke();
  }

  /** Whether our own client has ended: this process hung for long, or an external driver did. */
  boolean isBroken() {
    return own.isClosed();
  }

  /** A new client in place of the broken one; {@code false} when it cannot be had yet. */
  boolean repair() {
    if (driver.invoker() == null && !AeronDriver.isActive(new File(driver.directory()), settings)) {
      return false;
    }
    own = connectOwn();
    LOG.warn("This process or its media driver had hung; the client has been made anew");
    return true;
  }

  @Override
  public void close() {
    for (Foreign other : foreign.values()) {
      CloseHelper.close(error -> LOG.debug("Closing a client", error), other.client);
    }
    foreign.clear();
    CloseHelper.close(error -> LOG.debug("Closing the client", error), own);
    CloseHelper.close(error -> LOG.warn("Closing the media driver", error), driver);
  }
}
