package dev.stator.transport.aeron;

import dev.stator.transport.BlockWrite;
import dev.stator.transport.Checksums;
import dev.stator.transport.Grant;
import dev.stator.transport.TransferStatus;
import dev.stator.transport.wire.BlockTarget;
import dev.stator.transport.wire.FragmentFlyweight;
import dev.stator.transport.wire.MessageFlyweight;
import io.aeron.ExclusivePublication;
import io.aeron.Publication;
import io.aeron.logbuffer.BufferClaim;
import io.aeron.protocol.DataHeaderFlyweight;
import java.lang.foreign.MemorySegment;
import java.util.zip.CRC32C;
import org.agrona.collections.Long2ObjectHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts blocks and messages into a publication, in pieces that fill a datagram.
 *
 * <ul>
 *   <li><b>Copies:</b> one, source block to term buffer; the checksum is taken of what the cache
 *       still holds.
 *   <li><b>Ownership:</b> a source is read for one piece at a time, never while pushed back; the
 *       copy of one that the CPU does not address is held until its last piece has gone.
 *   <li><b>Threads:</b> the transport's.
 * </ul>
 */
final class BlockSender {
  private static final Logger LOG = LoggerFactory.getLogger(BlockSender.class);
  private static final int PIECE_LENGTH_MIN = 512;

  private final ExclusivePublication publication;
  private final int datagramLength;
  private final BufferClaim claim = new BufferClaim();
  private final CRC32C checksum = new CRC32C();
  private final Long2ObjectHashMap<BlockWrite> inFlight = new Long2ObjectHashMap<>();
  private long nextTransferId;

  private BlockWrite current;
  private long transferId;
  private BlockTarget target;
  private int length;
  private int offset;
  private byte[] message;
  private int messageOffset;

  /**
   * @param datagramLength what pieces should fill; 0 when nothing
   */
  BlockSender(ExclusivePublication publication, int datagramLength) {
    this.publication = publication;
    this.datagramLength = datagramLength;
  }

  int inFlightCount() {
    return inFlight.size();
  }

  boolean isIdle() {
    return current == null && message == null;
  }

  /** Takes a block, when {@link #isIdle}. */
  void begin(BlockWrite write) {
    final Grant grant = write.grant();
    current = write;
    transferId = nextTransferId++;
    target = new BlockTarget(grant.id(), grant.keyHigh(), grant.keyLow(), write.targetBlock());
    length = Math.toIntExact(grant.geometry().blockBytes());
    offset = 0;
    checksum.reset();
    inFlight.put(transferId, write);
  }

  /** Takes a message, when {@link #isIdle}. */
  void begin(byte[] newMessage) {
    message = newMessage;
    messageOffset = 0;
  }

  /**
   * Sends a piece of what was begun; {@code false} when it was pushed back.
   *
   * @param moreFollows whether another block waits
   */
  boolean send(boolean moreFollows) {
    return message != null ? sendMessage() : sendBlock(moreFollows);
  }

  private boolean sendBlock(boolean moreFollows) {
    if (current.hasEnded()) {
      abandon();
      return true;
    }
    final int piece = pieceLength(FragmentFlyweight.HEADER_LENGTH, length - offset);
    if (!claim(FragmentFlyweight.HEADER_LENGTH + piece)) return false;
    boolean isCopied = false;
    try {
      isCopied = copy(piece);
      if (moreFollows) FragmentFlyweight.encodeMoreFollows(claim.buffer(), claim.offset());
    } finally {
      if (isCopied) claim.commit();
      else claim.abort();
    }
    if (!isCopied) abandon();
    else if (offset == length) current = null;
    return true;
  }

  /** {@code false} when the source is gone. */
  private boolean copy(int piece) {
    final MemorySegment source = source();
    if (source == null) return false;
    try {
      if (source.byteSize() != length) return false;
      final int at = claim.offset();
      FragmentFlyweight.encode(claim.buffer(), at, transferId, target, length, offset, piece);
      MemorySegment.copy(source, offset, room(piece), 0, piece);
      checksum.update(Checksums.heldView(source.asSlice(offset, piece)));
      FragmentFlyweight.encodeChecksum(claim.buffer(), at, (int) checksum.getValue());
      offset += piece;
      return true;
    } finally {
      if (offset == length) current.release();
      else current.pause();
    }
  }

  private MemorySegment source() {
    try {
      return current.acquire();
    } catch (RuntimeException broken) { // Other blocks still have to move.
      LOG.error("A block could not be read", broken);
      return null;
    }
  }

  @SuppressWarnings("restricted") // The claimed range of the term buffer, until it is committed.
  private MemorySegment room(int piece) {
    final int at = claim.offset() + FragmentFlyweight.HEADER_LENGTH;
    return MemorySegment.ofAddress(claim.buffer().addressOffset() + at).reinterpret(piece);
  }

  private void abandon() {
    inFlight.remove(transferId);
    current.complete(TransferStatus.FAILED); // Unless it has ended, which is the usual reason.
    current = null;
  }

  private boolean sendMessage() {
    final int header = MessageFlyweight.HEADER_LENGTH;
    final int piece = pieceLength(header, message.length - messageOffset);
    if (!claim(header + piece)) return false;
    MessageFlyweight.encode(claim.buffer(), claim.offset(), message.length, messageOffset, piece);
    claim.buffer().putBytes(claim.offset() + header, message, messageOffset, piece);
    claim.commit();
    messageOffset += piece;
    if (messageOffset == message.length) message = null;
    return true;
  }

  private boolean claim(int claimed) {
    long result = publication.tryClaim(claimed, claim);
    if (result == Publication.ADMIN_ACTION) result = publication.tryClaim(claimed, claim);
    return result >= 0;
  }

  /**
   * Datagrams hold whole frames. A piece that ends where a datagram ends lets the next block's
   * start share one with this block's tail, so that 64 KiB blocks cost one datagram each and not
   * two.
   */
  private int pieceLength(int header, int remaining) {
    final int most = publication.maxPayloadLength() - header;
    if (datagramLength == 0) return Math.min(most, remaining);
    final int termOffset = (int) publication.position() & (publication.termBufferLength() - 1);
    final int used = termOffset % datagramLength;
    final int room = datagramLength - used - DataHeaderFlyweight.HEADER_LENGTH - header;
    return Math.min(room < PIECE_LENGTH_MIN ? most : room, remaining);
  }

  /** Ends a block as its receiver said; {@code false} when no such block is under way. */
  boolean acknowledge(long acknowledgedId, TransferStatus status) {
    final BlockWrite write = inFlight.remove(acknowledgedId);
    if (write == null) return false;
    write.complete(status);
    return true;
  }

  /** Ends all that is under way. */
  void failAll(TransferStatus why) {
    final BlockWrite[] writes = inFlight.values().toArray(BlockWrite[]::new);
    inFlight.clear();
    current = null;
    message = null;
    for (BlockWrite write : writes) write.complete(why);
  }
}
