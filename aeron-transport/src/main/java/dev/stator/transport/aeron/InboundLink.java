package dev.stator.transport.aeron;

import dev.stator.transport.BlockLanding;
import dev.stator.transport.BlockSink;
import dev.stator.transport.TransferStatus;
import dev.stator.transport.wire.BlockTarget;
import dev.stator.transport.wire.FragmentFlyweight;
import dev.stator.transport.wire.FrameFault;
import dev.stator.transport.wire.FrameHeader;
import dev.stator.transport.wire.HelloFlyweight;
import dev.stator.transport.wire.MessageFlyweight;
import io.aeron.Image;
import io.aeron.logbuffer.FragmentHandler;
import io.aeron.logbuffer.Header;
import java.lang.foreign.MemorySegment;
import java.util.function.Function;
import org.agrona.DirectBuffer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What one writer sends to one agent here.
 *
 * <pre>
 *   STRANGER --hello--&gt; GREETED --fragment at 0--&gt; LANDING --last fragment, or trouble--&gt; GREETED
 * </pre>
 *
 * <ul>
 *   <li><b>Copies:</b> one, term buffer to granted block.
 *   <li><b>Trust:</b> none. What does not fit is counted and ignored; the sink alone writes, and
 *       checks for itself.
 *   <li><b>Threads:</b> the transport's.
 * </ul>
 */
final class InboundLink implements FragmentHandler {
  private static final Logger LOG = LoggerFactory.getLogger(InboundLink.class);
  private static final int FRAGMENTS_PER_CYCLE = 8;

  /** The way back to a writer. */
  interface Answers {
    void welcome(TransferStatus status);

    /**
     * Takes a block's end, to be told soon.
     *
     * @param moreFollows whether it may wait for the next one's
     */
    void add(long transferId, TransferStatus status, boolean moreFollows);

    /** Sends what it can; returns how many frames. */
    int doWork(long nowNs);

    void close();
  }

  /** Opens the way back to a writer that has said hello. */
  interface AnswerOpener {
    Answers open(HelloFlyweight hello);
  }

  private final Function<String, BlockSink> sinks;
  private final AnswerOpener answerOpener;
  private final Faults faults;
  private final HelloFlyweight hello = new HelloFlyweight();
  private final FragmentFlyweight fragment = new FragmentFlyweight();
  private final MessageFlyweight message = new MessageFlyweight();

  private String agent;
  private Answers answers;

  private boolean hasTransfer;
  private long transferId;
  private BlockTarget target;
  private int blockLength;
  private int nextOffset;
  private BlockLanding landing; // Null when the transfer was refused: its rest is ignored.

  private byte[] messageBytes;
  private int messageOffset;

  InboundLink(Function<String, BlockSink> sinks, AnswerOpener answerOpener, Faults faults) {
    this.sinks = sinks;
    this.answerOpener = answerOpener;
    this.faults = faults;
  }

  /**
   * Takes a few frames and answers.
   *
   * @param image what the writer sends
   */
  int doWork(Image image, long nowNs) {
    final int fragments = image.poll(this, FRAGMENTS_PER_CYCLE);
    return fragments + (answers == null ? 0 : answers.doWork(nowNs));
  }

  void close() {
    abandon();
    if (answers != null) answers.close();
  }

  @Override
  public void onFragment(DirectBuffer buffer, int offset, int length, Header header) {
    try {
      final FrameFault fault = take(buffer, offset, length);
      if (fault != null) faults.count(fault);
    } catch (RuntimeException bug) {
      LOG.error("A frame for agent {} could not be taken", agent, bug);
      if (hasTransfer && landing != null) end(TransferStatus.FAILED);
    }
  }

  private FrameFault take(DirectBuffer buffer, int offset, int length) {
    final FrameFault fault = FrameHeader.check(buffer, offset, length);
    if (fault != null) return fault;
    return switch (FrameHeader.type(buffer, offset)) {
      case FrameHeader.FRAGMENT -> takeFragment(buffer, offset, length);
      case FrameHeader.MESSAGE -> takeMessage(buffer, offset, length);
      case FrameHeader.HELLO -> takeHello(buffer, offset, length);
      default -> FrameFault.WRONG_TYPE;
    };
  }

  private FrameFault takeHello(DirectBuffer buffer, int offset, int length) {
    final FrameFault fault = HelloFlyweight.check(buffer, offset, length);
    if (fault != null) return fault;
    if (agent != null) return FrameFault.NOT_GREETED;
    hello.wrap(buffer, offset, length);
    if (hello.replyStream() < Channels.REPLY_STREAM_MIN) return FrameFault.OUT_OF_RANGE;
    agent = hello.name();
    answers = answerOpener.open(hello);
    answers.welcome(sinks.apply(agent) != null ? TransferStatus.OK : TransferStatus.UNREACHABLE);
    return null;
  }

  private FrameFault takeFragment(DirectBuffer buffer, int offset, int length) {
    final FrameFault fault = FragmentFlyweight.check(buffer, offset, length);
    if (fault != null) return fault;
    if (agent == null) return FrameFault.NOT_GREETED;
    fragment.wrap(buffer, offset);
    final int at = fragment.offset();
    if (at == 0) begin();
    else if (!isContinued(at)) return FrameFault.UNKNOWN_TRANSFER;
    if (landing != null) land(at, bytes(buffer, offset, length, FragmentFlyweight.HEADER_LENGTH));
    return null;
  }

  private void abandon() {
    if (landing != null) landing.abandon();
    landing = null;
  }

  private void begin() {
    abandon();
    hasTransfer = true;
    transferId = fragment.transferId();
    target =
        new BlockTarget(
            fragment.grantId(), fragment.keyHigh(), fragment.keyLow(), fragment.targetBlock());
    blockLength = fragment.blockLength();
    nextOffset = 0;
    final BlockSink sink = sinks.apply(agent);
    if (sink == null) {
      end(TransferStatus.UNREACHABLE);
      return;
    }
    landing =
        sink.begin(
            target.grantId(), target.keyHigh(), target.keyLow(), target.block(), blockLength);
    if (landing.ended() != null) end(landing.ended());
  }

  /** Whether it goes on where the transfer under way stands, in every respect. */
  private boolean isContinued(int at) {
    if (!hasTransfer || fragment.transferId() != transferId) return false;
    if (landing == null) return true;
    return at == nextOffset
        && fragment.blockLength() == blockLength
        && fragment.targetBlock() == target.block()
        && ((fragment.grantId() ^ target.grantId())
                | (fragment.keyHigh() ^ target.keyHigh())
                | (fragment.keyLow() ^ target.keyLow()))
            == 0;
  }

  private void land(int at, MemorySegment piece) {
    if (!landing.put(at, piece)) {
      end(landing.ended());
      return;
    }
    nextOffset = at + (int) piece.byteSize();
    if (nextOffset < blockLength) return;
    end(landing.finish(fragment.checksum()));
    hasTransfer = false;
  }

  private void end(TransferStatus status) {
    landing = null;
    answers.add(transferId, status, status == TransferStatus.OK && fragment.moreFollows());
  }

  private FrameFault takeMessage(DirectBuffer buffer, int offset, int length) {
    final FrameFault fault = MessageFlyweight.check(buffer, offset, length);
    if (fault != null) return fault;
    if (agent == null) return FrameFault.NOT_GREETED;
    message.wrap(buffer, offset);
    final MemorySegment piece = bytes(buffer, offset, length, MessageFlyweight.HEADER_LENGTH);
    if (message.offset() == 0) {
      final int messageLength = message.messageLength();
      if (messageLength > MessageFlyweight.MESSAGE_LENGTH_MAX) return FrameFault.WRONG_LENGTH;
      messageBytes = new byte[messageLength];
      messageOffset = 0;
    } else if (messageBytes == null || message.offset() != messageOffset) {
      return FrameFault.UNKNOWN_TRANSFER;
    }
    if (piece.byteSize() > messageBytes.length - messageOffset) return FrameFault.WRONG_LENGTH;
    MemorySegment.ofArray(messageBytes).asSlice(messageOffset).copyFrom(piece);
    messageOffset += (int) piece.byteSize();
    if (messageOffset == messageBytes.length) deliverMessage();
    return null;
  }

  private void deliverMessage() {
    final MemorySegment whole = MemorySegment.ofArray(messageBytes).asReadOnly();
    messageBytes = null;
    final BlockSink sink = sinks.apply(agent);
    if (sink != null) sink.receive(whole);
  }

  /** What follows a frame's header, without a copy; its length is the frame's own. */
  @SuppressWarnings(
      "restricted") // The term buffer outlives the handler's call, and bounds are its.
  private static MemorySegment bytes(
      DirectBuffer buffer, int offset, int length, int headerLength) {
    return MemorySegment.ofAddress(buffer.addressOffset() + offset + headerLength)
        .reinterpret(length - headerLength)
        .asReadOnly();
  }
}
