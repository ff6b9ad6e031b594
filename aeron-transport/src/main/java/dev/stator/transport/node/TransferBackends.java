package dev.stator.transport.node;

import com.typesafe.config.Config;
import dev.stator.transport.BackendSelector;
import dev.stator.transport.BlockKernels;
import dev.stator.transport.InProcessBackend;
import dev.stator.transport.SharedMemory;
import dev.stator.transport.TransferBackend;
import dev.stator.transport.TransferSettings;
import dev.stator.transport.aeron.AeronSettings;
import dev.stator.transport.aeron.AeronStats;
import dev.stator.transport.aeron.AeronTransport;
import dev.stator.transport.device.DeviceIpcBackend;
import dev.stator.transport.device.DeviceIpcSettings;
import dev.stator.transport.file.FileBackend;
import dev.stator.transport.file.FileSettings;
import dev.stator.transport.shared.SharedBackend;
import dev.stator.transport.shared.SharedSettings;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The backends of {@code stator.transport.backends}, started, in that order. One that cannot start
 * here is left out and said so.
 *
 * <p><b>Threads:</b> any.
 */
public final class TransferBackends implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TransferBackends.class);

  private final BackendSelector selector;
  private final Optional<SharedBackend> shared;
  private final Optional<AeronTransport> aeron;
  private final String copies;

  private TransferBackends(
      BackendSelector selector,
      Optional<SharedBackend> shared,
      Optional<AeronTransport> aeron,
      String copies) {
    this.selector = selector;
    this.copies = copies;
    this.shared = shared;
    this.aeron = aeron;
  }

  /**
   * Starts what is configured.
   *
   * @param config at {@code stator.transport}
   * @throws IllegalArgumentException for a name that is no backend's, a name twice, settings out of
   *     range, or when none can start
   */
  public static TransferBackends start(Config config, LongSupplier nanoClock) {
    final List<String> names = config.getStringList("backends");
    if (names.stream().distinct().count() < names.size()) {
      throw new IllegalArgumentException("stator.transport.backends names one twice: " + names);
    }
    final Starter starter = new Starter(config);
    names.forEach(starter::start);
    starter.closeUnused();
    if (starter.started.isEmpty()) {
      throw new IllegalArgumentException(
          "no transfer backend can start; stator.transport.backends has " + names);
    }
    final Duration retryMin = config.getDuration("route-retry-min");
    final Duration retryMax = config.getDuration("route-retry-max");
    return new TransferBackends(
        new BackendSelector(starter.started, retryMin, retryMax, nanoClock),
        Optional.ofNullable(starter.shared),
        Optional.ofNullable(starter.aeron),
        BlockKernels.from(config).title());
  }

  /** All of them as one; closed with this. */
  public BackendSelector selector() {
    return selector;
  }

  /**
   * For the user: what copies whole blocks and takes their checksums, and why not something faster.
   */
  public String copies() {
    return copies;
  }

  /** What came over Aeron and was thrown away since the start, by reason. Changes no memory. */
  public Map<String, Long> frameFaults() {
    final Map<String, Long> counts = new TreeMap<>();
    if (aeron.isEmpty()) return counts;
    final AeronStats stats = aeron.get().stats();
    stats
        .faults()
        .forEach((fault, count) -> counts.put(fault.name().toLowerCase(Locale.ROOT), count));
    if (stats.invalidDatagrams() > 0) counts.put("not_aeron", stats.invalidDatagrams());
    return counts;
  }

  /**
   * Zeros that go to other processes of this host with one copy, for a device's KV blocks; empty
   * when this process offers no shared memory, or has no room for it. The owner closes it, before
   * this.
   */
  public Optional<SharedMemory> allocateShared(long bytes) {
    try {
      return shared.map(backend -> backend.allocate(bytes));
    } catch (UncheckedIOException full) {
      LOG.warn("KV blocks do not lie in shared memory: {}", full.getMessage());
      return Optional.empty();
    }
  }

  @Override
  public void close() {
    selector.close();
  }

  /** Starts one after the other, and remembers. */
  private static final class Starter {
    private final Config config;
    private final List<TransferBackend> started = new ArrayList<>();
    private SharedBackend shared;
    private AeronTransport aeron;

    Starter(Config config) {
      this.config = config;
    }

    void start(String name) {
      try {
        startNamed(name);
      } catch (IllegalArgumentException wrong) {
        started.forEach(TransferBackend::close);
        throw wrong;
      } catch (RuntimeException broken) {
        LOG.warn("Blocks do not go by {} here: {}", name, broken.getMessage());
      }
    }

    private void startNamed(String name) {
      switch (name) {
        case "in-process" -> started.add(InProcessBackend.create(TransferSettings.from(config)));
        case "device-ipc" -> started.add(DeviceIpcBackend.start(DeviceIpcSettings.from(config)));
        case "shared" -> {
          shared = SharedBackend.start(SharedSettings.from(config));
          started.add(shared);
        }
        case "ipc" -> started.add(aeron().ipc());
        case "udp" -> started.add(aeron().udp());
        case "file" -> FileSettings.from(config).map(FileBackend::start).ifPresent(started::add);
        default ->
            throw new IllegalArgumentException(
                "stator.transport.backends: no backend is named " + name);
      }
    }

    /** The transport of both goes when both are closed. */
    void closeUnused() {
      if (aeron == null) return;
      if (!started.contains(aeron.ipc())) aeron.ipc().close();
      if (!started.contains(aeron.udp())) aeron.udp().close();
    }

    private AeronTransport aeron() {
      if (aeron == null) {
        aeron = AeronTransport.create(AeronSettings.from(config.getConfig("aeron")));
      }
      return aeron;
    }
  }
}
