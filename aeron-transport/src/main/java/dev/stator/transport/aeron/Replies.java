package dev.stator.transport.aeron;

import dev.stator.transport.TransferStatus;
import dev.stator.transport.wire.AcknowledgementFlyweight;
import dev.stator.transport.wire.FrameFault;
import dev.stator.transport.wire.StatusCodes;
import dev.stator.transport.wire.WelcomeFlyweight;
import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.exceptions.AeronException;
import io.aeron.logbuffer.BufferClaim;
import org.agrona.collections.LongArrayQueue;

/**
 * What a receiver tells one writer: welcome, then how blocks ended, in batches ({@link
 * AnswerPace}). A writer that does not listen loses replies beyond {@value #PENDING_MAX}.
 * <b>Threads:</b> the transport's.
 */
final class Replies implements InboundLink.Answers {
  private static final int PENDING_MAX = 1 << 16;

  private final Aeron client;
  private final String channel;
  private final int stream;
  private final long connectionId;
  private final Faults faults;
  private final BufferClaim claim = new BufferClaim();
  private final LongArrayQueue pending =
      new LongArrayQueue(Long.MIN_VALUE); // Id, status; by turns.
  private long registrationId = Aeron.NULL_VALUE;
  private ExclusivePublication publication;
  private TransferStatus welcome;
  private final AnswerPace pace = new AnswerPace();
  private boolean isBroken;

  Replies(Aeron client, String channel, int stream, long connectionId, Faults faults) {
    this.client = client;
    this.channel = channel;
    this.stream = stream;
    this.connectionId = connectionId;
    this.faults = faults;
  }

  @Override
  public void welcome(TransferStatus status) {
    welcome = status;
  }

  @Override
  public void add(long transferId, TransferStatus status, boolean moreFollows) {
    if (pending.size() >= 2 * PENDING_MAX || transferId == Long.MIN_VALUE) {
      faults.count(FrameFault.TOO_MUCH);
      return;
    }
    pending.addLong(transferId);
    pending.addLong(StatusCodes.encode(status));
    pace.add(moreFollows);
  }

  @Override
  public int doWork(long nowNs) {
    if (isBroken || (welcome == null && !pace.isDue(nowNs))) return 0;
    if (!isConnected()) return 0;
    int frames = 0;
    if (welcome != null) {
      if (!sendWelcome()) return 0;
      frames++;
    }
    while (!pending.isEmpty() && sendBatch()) frames++;
    if (pending.isEmpty()) pace.sent();
    return frames;
  }

  private boolean isConnected() {
    if (publication != null) return publication.isConnected();
    try {
      if (registrationId == Aeron.NULL_VALUE) {
        registrationId = client.asyncAddExclusivePublication(channel, stream);
      }
      publication = client.getExclusivePublication(registrationId);
    } catch (AeronException refused) {
      isBroken = true; // The writer gets no welcome, and gives up.
    }
    return false;
  }

  private boolean sendWelcome() {
    if (publication.tryClaim(WelcomeFlyweight.LENGTH, claim) < 0) return false;
    final int code = StatusCodes.encode(welcome);
    WelcomeFlyweight.encode(claim.buffer(), claim.offset(), connectionId, code);
    claim.commit();
    welcome = null;
    return true;
  }

  private boolean sendBatch() {
    final int count = Math.min(AcknowledgementFlyweight.ENTRIES_MAX, pending.size() / 2);
    if (publication.tryClaim(AcknowledgementFlyweight.length(count), claim) < 0) return false;
    AcknowledgementFlyweight.encode(claim.buffer(), claim.offset(), connectionId, count);
    for (int index = 0; index < count; index++) {
      final long transferId = pending.pollLong();
      final int status = (int) pending.pollLong();
      AcknowledgementFlyweight.encodeEntry(
          claim.buffer(), claim.offset(), index, transferId, status);
    }
    claim.commit();
    return true;
  }

  @Override
  public void close() {
    isBroken = true;
    if (client.isClosed()) return;
    try {
      if (publication != null) publication.close();
      else if (registrationId != Aeron.NULL_VALUE) client.asyncRemovePublication(registrationId);
    } catch (AeronException ending) {
      publication = null; // The client frees what it had by itself.
    }
  }
}
