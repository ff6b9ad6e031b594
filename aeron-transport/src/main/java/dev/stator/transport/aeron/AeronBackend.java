package dev.stator.transport.aeron;

import dev.stator.transport.AgentAddress;
import dev.stator.transport.AgentSinks;
import dev.stator.transport.BlockSink;
import dev.stator.transport.BlockWrite;
import dev.stator.transport.TransferBackend;
import dev.stator.transport.TransferStatus;
import io.aeron.exceptions.AeronException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One kind of channel of an {@link AeronTransport}. <b>Threads:</b> any. */
final class AeronBackend implements TransferBackend {
  private static final Logger LOG = LoggerFactory.getLogger(AeronBackend.class);

  private record Target(String agent, String endpoint) {}

  private final AeronTransport transport;
  private final Channels channels;
  private final Predicate<AgentAddress> isNear;
  private final AgentSinks sinks = new AgentSinks();
  private final Map<Target, OutboundLink> links = new ConcurrentHashMap<>();
  private boolean isClosed; // Guarded by this.

  /**
   * @param isNear whether an agent that has an endpoint is worth trying
   */
  AeronBackend(AeronTransport transport, Channels channels, Predicate<AgentAddress> isNear) {
    this.transport = transport;
    this.channels = channels;
    this.isNear = isNear;
  }

  @Override
  public String name() {
    return channels.name();
  }

  AgentSinks sinks() {
    return sinks;
  }

  @Override
  public Map<String, String> attach(String agent, BlockSink sink) {
    sinks.attach(agent, sink);
    try {
      return Map.of(name(), transport.listen(this, channels));
    } catch (RuntimeException failure) {
      LOG.warn("Agent {} cannot be reached by {}: {}", agent, name(), failure.toString());
      return Map.of();
    }
  }

  @Override
  public void detach(String agent) {
    sinks.detach(agent);
  }

  @Override
  public boolean reaches(AgentAddress to) {
    return to.endpoints().containsKey(name()) && isNear.test(to);
  }

  @Override
  public boolean offer(BlockWrite write) {
    return offerAll(List.of(write)) == 1;
  }

  @Override
  public int offerAll(List<BlockWrite> writes) {
    if (writes.isEmpty()) return 0;
    final AgentAddress to = writes.getFirst().grant().agent();
    if (!reaches(to)) {
      for (BlockWrite write : writes) write.complete(TransferStatus.UNREACHABLE);
      return writes.size();
    }
    final OutboundLink link = link(to);
    final int taken = link == null ? 0 : link.offerAll(writes);
    if (taken > 0) transport.wake();
    return taken;
  }

  @Override
  public boolean send(AgentAddress to, MemorySegment message) {
    if (!reaches(to) || message.byteSize() == 0 || message.byteSize() > MESSAGE_BYTES_MAX) {
      return false;
    }
    final OutboundLink link = link(to);
    if (link == null || !link.offer(message.toArray(ValueLayout.JAVA_BYTE))) return false;
    transport.wake();
    return true;
  }

  /** {@code null} when there are too many. */
  private OutboundLink link(AgentAddress to) {
    final Target target = new Target(to.agent(), to.endpoints().get(name()));
    final OutboundLink link = links.get(target);
    if (link != null) return link;
    if (links.size() >= transport.settings().connectionsMax()) return null;
    return links.computeIfAbsent(
        target, wanted -> transport.link(channels, wanted.agent(), wanted.endpoint()));
  }

  /** Works for all links. <b>Threads:</b> the transport's. */
  int doWork(long nowNs) {
    if (links.isEmpty()) return 0;
    int work = 0;
    for (Map.Entry<Target, OutboundLink> entry : links.entrySet()) {
      work += doWork(entry.getValue(), nowNs);
      if (entry.getValue().retire(nowNs)) links.remove(entry.getKey());
    }
    return work;
  }

  private static int doWork(OutboundLink link, long nowNs) {
    try {
      return link.doWork(nowNs);
    } catch (AeronException ended) {
      LOG.info("Connection to {} cannot go on: {}", link.name(), ended.getMessage());
      link.fail(TransferStatus.UNREACHABLE, nowNs);
      return 1;
    } catch (RuntimeException failure) {
      LOG.warn("Connection to {} broke", link.name(), failure);
      link.fail(TransferStatus.FAILED, nowNs);
      return 1;
    }
  }

  /** Ends all connections. <b>Threads:</b> the transport's. */
  void failAll(TransferStatus why, long nowNs) {
    for (OutboundLink link : links.values()) link.fail(why, nowNs);
  }

  int connections() {
    int open = 0;
    for (OutboundLink link : links.values()) if (link.isConnected()) open++;
    return open;
  }

  @Override
  public void close() {
    synchronized (this) {
      if (isClosed) return;
      isClosed = true;
    }
    sinks.clear();
    transport.release();
  }
}
