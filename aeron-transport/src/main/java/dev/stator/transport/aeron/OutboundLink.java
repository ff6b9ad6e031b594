package dev.stator.transport.aeron;

import dev.stator.transport.BlockWrite;
import dev.stator.transport.TransferStatus;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What this process sends to one agent elsewhere: a bounded queue, and a connection while there is
 * something to send.
 *
 * <pre>
 *   CLOSED --something to send--&gt; OPENING --welcome--&gt; OPEN
 *   OPENING | OPEN --refused, lost, silent--&gt; CLOSED     (what waited is unreachable)
 *   OPEN --nothing to send for long--&gt; CLOSED
 * </pre>
 *
 * <b>Threads:</b> {@code offer} any; all else the transport's.
 */
final class OutboundLink {
  private static final Logger LOG = LoggerFactory.getLogger(OutboundLink.class);
  private static final int MESSAGES_MAX = 256;
  private static final int PIECES_PER_CYCLE = 4;
  private static final int TAKEN_MAX = 32; // At once, so that the lock is seldom taken.

  /** Opens connections to this link's agent. */
  interface Opener {
    /** {@code null} when nobody is there. */
    Connection open(OutboundLink link, long nowNs);
  }

  private final String name;
  private final AeronSettings settings;
  private final Opener opener;

  // Guarded by this.
  private final Queue<BlockWrite> queue = new ArrayDeque<>();
  private final Queue<byte[]> messages = new ArrayDeque<>();
  private boolean isRetired;

  // The transport's.
  private final Queue<BlockWrite> next = new ArrayDeque<>(); // Taken out of the queue.
  private final Queue<byte[]> nextMessages = new ArrayDeque<>();
  private Connection connection;
  private long lastUseNs;

  /**
   * @param name agent and endpoint, for logs
   */
  OutboundLink(String name, AeronSettings settings, Opener opener, long nowNs) {
    this.name = name;
    this.settings = settings;
    this.opener = opener;
    this.lastUseNs = nowNs;
  }

  /** Takes the first of these that there is room for, none when it is too late; how many. */
  synchronized int offerAll(List<BlockWrite> writes) {
    if (isRetired) return 0;
    final int taken = Math.min(writes.size(), settings.queueBlocks() - queue.size());
    queue.addAll(writes.subList(0, taken));
    return taken;
  }

  /** {@code false} when too much is waiting, or it is too late. */
  synchronized boolean offer(byte[] message) {
    if (isRetired || messages.size() >= MESSAGES_MAX) return false;
    return messages.add(message);
  }

  /** {@code true} when it was not used for long; it takes nothing from then on. */
  synchronized boolean retire(long nowNs) {
    final boolean isUsed = connection != null || isWaiting();
    if (isUsed || nowNs - lastUseNs < settings.idleTimeout().toNanos()) return false;
    isRetired = true;
    return true;
  }

  private synchronized boolean isWaiting() {
    return !next.isEmpty() || !nextMessages.isEmpty() || !queue.isEmpty() || !messages.isEmpty();
  }

  /** {@code false} when there was nothing. */
  private synchronized boolean takeMore() {
    nextMessages.addAll(messages);
    messages.clear();
    while (next.size() < TAKEN_MAX && !queue.isEmpty()) next.add(queue.remove());
    return !next.isEmpty() || !nextMessages.isEmpty();
  }

  int doWork(long nowNs) {
    if (connection == null) return isWaiting() ? open(nowNs) : 0;
    final int work = connection.doWork(nowNs);
    final TransferStatus trouble = connection.trouble(nowNs);
    if (trouble != null) {
      fail(trouble, nowNs);
      return work + 1;
    }
    return work + (connection.isOpen() ? send(nowNs) : 0);
  }

  private int open(long nowNs) {
    connection = opener.open(this, nowNs);
    if (connection == null) fail(TransferStatus.UNREACHABLE, nowNs);
    return 1;
  }

  private int send(long nowNs) {
    int pieces = 0;
    while (pieces < PIECES_PER_CYCLE && hasSomething() && connection.sender().send(moreFollows()))
      pieces++;
    if (pieces > 0 || connection.sender().inFlightCount() > 0) {
      lastUseNs = nowNs;
    } else if (nowNs - lastUseNs >= settings.idleTimeout().toNanos() && !isWaiting()) {
      close();
    }
    return pieces;
  }

  /** Whether another block will go before an acknowledgement has come. */
  private boolean moreFollows() {
    if (connection.sender().inFlightCount() >= settings.inFlightBlocksMax()) return false;
    return !next.isEmpty() || hasQueued();
  }

  private synchronized boolean hasQueued() {
    return !queue.isEmpty();
  }

  private boolean hasSomething() {
    final BlockSender sender = connection.sender();
    if (!sender.isIdle()) return true;
    if (nextMessages.isEmpty() && !takeMore()) return false; // Messages overtake waiting blocks.
    if (!nextMessages.isEmpty()) {
      sender.begin(nextMessages.remove());
      return true;
    }
    while (sender.isIdle() && !next.isEmpty()) {
      if (sender.inFlightCount() >= settings.inFlightBlocksMax()) return false;
      final BlockWrite write = next.remove();
      if (!write.hasEnded()) sender.begin(write);
    }
    return !sender.isIdle();
  }

  /** Ends the connection, and all that waits. */
  void fail(TransferStatus why, long nowNs) {
    if (connection != null) {
      LOG.debug("Connection to {} ended: {}", name, why);
      connection.sender().failAll(why);
    }
    close();
    lastUseNs = nowNs;
    while (takeMore()) {
      nextMessages.clear();
      while (!next.isEmpty()) next.remove().complete(why);
    }
  }

  private void close() {
    if (connection != null) connection.close();
    connection = null;
  }

  String name() {
    return name;
  }

  boolean isConnected() {
    return connection != null && connection.isOpen();
  }
}
