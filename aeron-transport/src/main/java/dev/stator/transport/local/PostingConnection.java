package dev.stator.transport.local;

import dev.stator.transport.RejectionCounters;
import dev.stator.transport.TransferStatus;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The writer's end of a connection, which carries one lane of an outbox: whoever finds that a batch
 * is due posts it, and those that become due meanwhile.
 *
 * <p><b>Threads:</b> any.
 *
 * @param <P> a block with what its backend needs
 */
public abstract class PostingConnection<P extends Outbox.Item> extends Connection {
  private static final Logger LOG = LoggerFactory.getLogger(PostingConnection.class);

  protected final int lane;
  protected final Outbox<P> outbox;
  protected final RejectionCounters counters;
  private final AtomicInteger pumps = new AtomicInteger(); // Asked for; one thread does them all.

  /**
   * @param lane the outbox's
   */
  protected PostingConnection(
      int lane,
      Outbox<P> outbox,
      SocketChannel channel,
      SocketLoop loop,
      RejectionCounters counters) {
    super(channel, loop);
    this.lane = lane;
    this.outbox = outbox;
    this.counters = counters;
  }

  /**
   * Says who this is, before all else.
   *
   * @param folderName of this process
   */
  protected final void greet(String folderName) {
    final byte[] name = folderName.getBytes(StandardCharsets.US_ASCII);
    append(Frames.HELLO, 0, name.length, out -> out.put(name));
  }

  /**
   * Blocks of a batch that can be posted; the others have been dropped from the outbox.
   *
   * @param append appends their frame, with these numbers; says why not, {@code null} when it did
   * @param <P> a block with what its backend needs
   */
  public record Ready<P>(List<P> items, Function<long[], TransferStatus> append) {}

  /** Makes ready what of a batch can be posted, and drops the rest from the outbox, ended. */
  protected abstract Ready<P> prepare(List<P> batch);

  /** Whether the caller is the one to {@link #pump} now, or to have it done. */
  public final boolean mustPump() {
    return outbox.isDue(lane) && pumps.getAndIncrement() == 0;
  }

  /** Posts what may be posted by now; for who {@link #mustPump}. */
  public final void pump() {
    int asked;
    do {
      asked = pumps.get();
      for (var batch = outbox.nextBatch(lane); !batch.isEmpty(); batch = outbox.nextBatch(lane)) {
        post(batch);
      }
    } while (pumps.addAndGet(-asked) != 0);
  }

  private void post(List<P> batch) {
    List<P> inHand = batch;
    try {
      final Ready<P> ready = prepare(batch);
      inHand = ready.items();
      if (inHand.isEmpty()) return;
      final long[] sequences = outbox.post(lane, inHand);
      inHand = List.of(); // From now on closing ends them.
      if (sequences == null) endAll(ready.items(), TransferStatus.UNREACHABLE);
      else append(ready, sequences);
      flush();
    } catch (RuntimeException | Error broken) { // Whoever pumps next must not wait for this batch.
      LOG.error("Blocks could not be posted", broken);
      close();
      for (P item : inHand) if (!item.isDropped()) item.end(TransferStatus.UNREACHABLE);
    }
  }

  private void append(Ready<P> ready, long... sequences) {
    final TransferStatus trouble = ready.append.apply(sequences);
    if (trouble != null) endAll(outbox.take(sequences), trouble);
  }

  /** But those that closing has ended, and taken. */
  private void endAll(List<P> items, TransferStatus status) {
    for (P item : items) if (item != null) item.end(status);
  }

  /** Answers have made room. */
  @Override
  protected void onAllRead() {
    if (mustPump()) pump();
  }

  /** What a {@link Frames#REFUSED} frame is for. */
  protected final String refused(ByteBuffer body) {
    final int length = Math.min(body.remaining(), Frames.REASON_LENGTH_MAX);
    LOG.warn("Not connected to another process: {}", Frames.getText(body, length));
    close();
    return null;
  }

  @Override
  protected void onSenseless(String trouble) {
    counters.count(TransferStatus.MALFORMED);
    LOG.warn("Disconnected from a process that sends {}", trouble);
  }
}
