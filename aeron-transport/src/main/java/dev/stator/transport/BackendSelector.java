package dev.stator.transport;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Several backends as one: to each address goes the first in order that reaches it, and stays, so
 * that all blocks of a pair go one way; those of a device's memory have one of their own. One that
 * turns out not to get there ({@link TransferStatus#UNREACHABLE}) is passed over for a while, twice
 * as long each time in a row, and the blocks it could not move go to the next at once.
 *
 * <p><b>Threads:</b> any.
 */
public final class BackendSelector implements TransferBackend {
  /** The route to an address that nothing reaches. */
  public static final String NO_ROUTE = "none";

  private static final Logger LOG = LoggerFactory.getLogger(BackendSelector.class);
  private static final int PAIRS_MAX = 1024; // Remembered; the one unused longest goes.

  /** Who is written to, and the device that is written from; {@code null} for all else. */
  private record Pair(AgentAddress to, LentPool from) {
    boolean isReachedBy(TransferBackend backend) {
      return from == null ? backend.reaches(to) : backend.reaches(to, from);
    }
  }

  /** What is known of the way between a pair. Guarded by {@link #routes}. */
  private static final class Route {
    private final Map<TransferBackend, Failure> failures = new HashMap<>();
    private TransferBackend chosen;
  }

  /** A backend did not get there, and is passed over for it that long. */
  private record Failure(long atNs, long pauseNs) {
    boolean isPassedOver(long nowNs) {
      return nowNs - atNs < pauseNs;
    }
  }

  private final List<TransferBackend> inOrder;
  private final long retryMinNs;
  private final long retryMaxNs;
  private final LongSupplier nanoClock;
  private final Map<Pair, Route> routes =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Pair, Route> eldest) {
          return size() > PAIRS_MAX;
        }
      };

  /**
   * @param inOrder most wanted first, of distinct names; closed with this
   * @param retryMin how long a backend that did not get to an address is passed over for it
   * @param retryMax the same, at most, when that happens again and again; a pause of twice this
   *     length without a failure forgets all that was
   * @throws IllegalArgumentException without a backend, or when the least is not above zero and at
   *     most the other
   */
  public BackendSelector(
      List<TransferBackend> inOrder, Duration retryMin, Duration retryMax, LongSupplier nanoClock) {
    if (inOrder.isEmpty()) throw new IllegalArgumentException("no transfer backend to choose from");
    if (!retryMin.isPositive() || retryMin.compareTo(retryMax) > 0) {
      throw new IllegalArgumentException(
          "stator.transport.route-retry-min must be above zero and at most route-retry-max; they"
              + " are "
              + retryMin.toMillis()
              + " ms and "
              + retryMax.toMillis()
              + " ms");
    }
    this.inOrder = List.copyOf(inOrder);
    this.retryMinNs = retryMin.toNanos();
    this.retryMaxNs = retryMax.toNanos();
    this.nanoClock = nanoClock;
  }

  @Override
  public String name() {
    return inOrder.stream().map(TransferBackend::name).collect(Collectors.joining(", "));
  }

  @Override
  public Map<String, String> attach(String agent, BlockSink sink) {
    final Map<String, String> endpoints = new HashMap<>();
    final List<TransferBackend> attached = new ArrayList<>();
    try {
      for (TransferBackend backend : inOrder) {
        endpoints.putAll(backend.attach(agent, sink));
        attached.add(backend);
      }
    } catch (Throwable taken) {
      attached.forEach(backend -> backend.detach(agent));
      throw taken;
    }
    LOG.info("Agent {} can be reached by {}", agent, offered(endpoints));
    return endpoints;
  }

  private String offered(Map<String, String> endpoints) {
    return inOrder.stream()
        .map(TransferBackend::name)
        .filter(endpoints::containsKey)
        .collect(Collectors.joining(", "));
  }

  @Override
  public void detach(String agent) {
    for (TransferBackend backend : inOrder) backend.detach(agent);
  }

  @Override
  public boolean reaches(AgentAddress to) {
    return choose(new Pair(to, null)).isPresent();
  }

  @Override
  public boolean reaches(AgentAddress to, LentPool from) {
    return choose(new Pair(to, from)).isPresent();
  }

  /**
   * The name of the backend that blocks to this address go by now, but for those of devices; or
   * {@link #NO_ROUTE}.
   */
  public String route(AgentAddress to) {
    return choose(new Pair(to, null)).map(TransferBackend::name).orElse(NO_ROUTE);
  }

  /**
   * Which backend blocks go by, by the names of the agents they have gone to; where some come from
   * devices, which these go by.
   */
  public Map<String, String> routes() {
    synchronized (routes) {
      final Map<String, String> names = new HashMap<>();
      routes.forEach((pair, route) -> {
        final String name = route.chosen == null ? NO_ROUTE : route.chosen.name();
        if (pair.from != null) names.put(pair.to.agent(), name);
        else names.putIfAbsent(pair.to.agent(), name);
      });
      return names;
    }
  }

  @Override
  public boolean offer(BlockWrite write) {
    return offerAll(List.of(write)) == 1;
  }

  @Override
  public int offerAll(List<BlockWrite> writes) {
    if (writes.isEmpty()) return 0;
    final BlockWrite first = writes.getFirst();
    final Pair pair = new Pair(first.grant().agent(), first.lent().orElse(null));
    final Optional<TransferBackend> chosen = choose(pair);
    if (chosen.isEmpty()) {
      for (BlockWrite write : writes) write.complete(TransferStatus.UNREACHABLE);
      return writes.size();
    }
    for (BlockWrite write : writes) {
      write.rescueWhenUnreachable(() -> {
        passOver(pair, chosen.get());
        return choose(pair).isPresent() && offer(write);
      });
    }
    return chosen.get().offerAll(writes);
  }

  @Override
  public boolean send(AgentAddress to, MemorySegment message) {
    final Optional<TransferBackend> chosen = choose(new Pair(to, null));
    return chosen.isPresent() && chosen.get().send(to, message);
  }

  private Optional<TransferBackend> choose(Pair pair) {
    synchronized (routes) {
      final Route route = routes.computeIfAbsent(pair, unknown -> new Route());
      final long nowNs = nanoClock.getAsLong();
      route.failures.values().removeIf(failure -> nowNs - failure.atNs() >= 2 * retryMaxNs);
      for (TransferBackend backend : inOrder) {
        if (backend == route.chosen) return Optional.of(backend);
        final Failure failure = route.failures.get(backend);
        if (failure != null && failure.isPassedOver(nowNs)) continue;
        if (!pair.isReachedBy(backend)) continue;
        LOG.info(
            "Blocks {}to {} go by {}",
            pair.from == null ? "" : "of a device ",
            pair.to.agent(),
            backend.name());
        route.chosen = backend;
        return Optional.of(backend);
      }
      return Optional.empty();
    }
  }

  private void passOver(Pair pair, TransferBackend failed) {
    synchronized (routes) {
      final Route route = routes.computeIfAbsent(pair, unknown -> new Route());
      if (route.chosen != failed) return; // Another block has told.
      route.chosen = null;
      final Failure last = route.failures.get(failed);
      final long pauseNs = last == null ? retryMinNs : Math.min(retryMaxNs, 2 * last.pauseNs());
      route.failures.put(failed, new Failure(nanoClock.getAsLong(), pauseNs));
      LOG.warn(
          "Agent {} is not reached by {}{}",
          pair.to.agent(),
          failed.name(),
          pair.isReachedBy(failed)
              ? ", tried again after " + TimeUnit.NANOSECONDS.toMillis(pauseNs) + " ms"
              : "");
    }
  }

  @Override
  public void close() {
    for (TransferBackend backend : inOrder) backend.close();
  }
}
