package dev.stator.transport.aeron;

import dev.stator.transport.TransferStatus;
import dev.stator.transport.wire.AcknowledgementFlyweight;
import dev.stator.transport.wire.FrameFault;
import dev.stator.transport.wire.FrameHeader;
import dev.stator.transport.wire.HelloFlyweight;
import dev.stator.transport.wire.StatusCodes;
import dev.stator.transport.wire.WelcomeFlyweight;
import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.Subscription;
import io.aeron.exceptions.AeronException;
import io.aeron.logbuffer.BufferClaim;
import io.aeron.logbuffer.FragmentHandler;
import io.aeron.logbuffer.Header;
import java.nio.charset.StandardCharsets;
import org.agrona.DirectBuffer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A writer's connection to one agent: a publication there, and a subscription for replies.
 *
 * <pre>
 *   REGISTERING --both known to the driver, and the receiver's--&gt; GREETING --welcome--&gt; OPEN
 * </pre>
 *
 * Any trouble is final: {@link #trouble}. <b>Threads:</b> the transport's.
 */
final class Connection implements FragmentHandler {
  private static final Logger LOG = LoggerFactory.getLogger(Connection.class);
  private static final int REPLIES_PER_CYCLE = 16;

  /** What a connection is made of. */
  record Parts(
      Aeron client, Channels channels, String agent, String endpoint, long id, int replyStream) {}

  private final Parts parts;
  private final AeronSettings settings;
  private final Faults faults;
  private final Runnable onClose;
  private final long openedNs;
  private final long publicationId;
  private final long subscriptionId;
  private final BufferClaim claim = new BufferClaim();
  private final WelcomeFlyweight welcome = new WelcomeFlyweight();
  private final AcknowledgementFlyweight acknowledgement = new AcknowledgementFlyweight();

  private ExclusivePublication publication;
  private Subscription subscription;
  private BlockSender sender;
  private boolean hasGreeted;
  private boolean isOpen;
  private TransferStatus refusal;
  private long lastProgressNs;
  private boolean hasProgressed;

  /**
   * @param onClose gives the client back
   * @throws AeronException when the client has ended
   */
  Connection(Parts parts, AeronSettings settings, Faults faults, Runnable onClose, long nowNs) {
    this.parts = parts;
    this.settings = settings;
    this.faults = faults;
    this.onClose = onClose;
    this.openedNs = nowNs;
    this.lastProgressNs = nowNs;
    final Channels channels = parts.channels();
    subscriptionId = parts.client().asyncAddSubscription(channels.replies(), parts.replyStream());
    publicationId =
        parts
            .client()
            .asyncAddExclusivePublication(channels.data(parts.endpoint()), Channels.DATA_STREAM);
  }

  boolean isOpen() {
    return isOpen;
  }

  /** Before {@link #isOpen} it has nothing to do, but can be told that all failed. */
  BlockSender sender() {
    if (sender == null) sender = new BlockSender(publication, parts.channels().datagramLength());
    return sender;
  }

  int doWork(long nowNs) {
    if (parts.client().isClosed() || refusal != null) return 0;
    if (!isRegistered()) return 0;
    if (!hasGreeted) return greet() ? 1 : 0;
    hasProgressed = false;
    final int replies = subscription.poll(this, REPLIES_PER_CYCLE);
    if (hasProgressed || sender().inFlightCount() == 0) lastProgressNs = nowNs;
    return replies;
  }

  private boolean isRegistered() {
    try {
      if (subscription == null) subscription = parts.client().getSubscription(subscriptionId);
      if (publication == null) {
        publication = parts.client().getExclusivePublication(publicationId);
      }
      return subscription != null && publication != null;
    } catch (AeronException refused) {
      refusal = TransferStatus.UNREACHABLE;
      return false;
    }
  }

  private boolean greet() {
    final byte[] name = parts.agent().getBytes(StandardCharsets.UTF_8);
    if (name.length > HelloFlyweight.NAME_LENGTH_MAX) {
      refusal = TransferStatus.UNREACHABLE;
      return false;
    }
    if (publication.tryClaim(HelloFlyweight.length(name), claim) < 0) return false;
    HelloFlyweight.encode(
        claim.buffer(),
        claim.offset(),
        parts.id(),
        parts.replyStream(),
        parts.channels().replyPort(),
        name);
    claim.commit();
    hasGreeted = true;
    return true;
  }

  /** Why this is over; {@code null} while it is not. */
  TransferStatus trouble(long nowNs) {
    final String lost = refusal != null ? "refused, " + refusal : lostBecause(nowNs);
    if (lost == null) return null;
    LOG.info("No way to {} at {}: {}", parts.agent(), parts.endpoint(), lost);
    return refusal != null ? refusal : TransferStatus.UNREACHABLE;
  }

  private String lostBecause(long nowNs) {
    if (parts.client().isClosed()) return "the Aeron client has ended";
    if (!isOpen) {
      return nowNs - openedNs > settings.connectTimeout().toNanos()
          ? (hasGreeted ? "not welcomed in time" : "not connected in time")
          : null;
    }
    if (!publication.isConnected()) return "disconnected";
    return nowNs - lastProgressNs > settings.acknowledgeTimeout().toNanos()
        ? sender().inFlightCount() + " blocks are not acknowledged in time"
        : null;
  }

  @Override
  public void onFragment(DirectBuffer buffer, int offset, int length, Header header) {
    final FrameFault fault = take(buffer, offset, length);
    if (fault != null) faults.count(fault);
  }

  private FrameFault take(DirectBuffer buffer, int offset, int length) {
    final FrameFault fault = FrameHeader.check(buffer, offset, length);
    if (fault != null) return fault;
    return switch (FrameHeader.type(buffer, offset)) {
      case FrameHeader.ACKNOWLEDGEMENT -> takeAcknowledgement(buffer, offset, length);
      case FrameHeader.WELCOME -> takeWelcome(buffer, offset, length);
      default -> FrameFault.WRONG_TYPE;
    };
  }

  private FrameFault takeWelcome(DirectBuffer buffer, int offset, int length) {
    final FrameFault fault = WelcomeFlyweight.check(buffer, offset, length);
    if (fault != null) return fault;
    welcome.wrap(buffer, offset);
    if (welcome.connectionId() != parts.id() || isOpen) return FrameFault.UNKNOWN_CONNECTION;
    final TransferStatus status = StatusCodes.decode(welcome.status());
    if (status == null) return FrameFault.UNKNOWN_STATUS;
    if (status == TransferStatus.OK) isOpen = true;
    else refusal = status;
    hasProgressed = true;
    return null;
  }

  private FrameFault takeAcknowledgement(DirectBuffer buffer, int offset, int length) {
    final FrameFault fault = AcknowledgementFlyweight.check(buffer, offset, length);
    if (fault != null) return fault;
    acknowledgement.wrap(buffer, offset);
    if (acknowledgement.connectionId() != parts.id() || !isOpen) {
      return FrameFault.UNKNOWN_CONNECTION;
    }
    final int count = AcknowledgementFlyweight.count(length);
    for (int index = 0; index < count; index++) {
      final FrameFault wrong =
          end(acknowledgement.transferId(index), acknowledgement.status(index));
      if (wrong != null) faults.count(wrong);
    }
    return null;
  }

  private FrameFault end(long transferId, int code) {
    final TransferStatus status = StatusCodes.decode(code);
    if (status == null) return FrameFault.UNKNOWN_STATUS;
    hasProgressed = true;
    return sender().acknowledge(transferId, status) ? null : FrameFault.UNKNOWN_TRANSFER;
  }

  void close() {
    try {
      free();
    } catch (AeronException ending) {
      LOG.debug("The client of {} frees what it had by itself", parts.agent(), ending);
    } finally {
      onClose.run();
    }
  }

  private void free() {
    final Aeron client = parts.client();
    if (client.isClosed()) return;
    if (publication != null) publication.close();
    else client.asyncRemovePublication(publicationId);
    if (subscription != null) subscription.close();
    else client.asyncRemoveSubscription(subscriptionId);
  }
}
