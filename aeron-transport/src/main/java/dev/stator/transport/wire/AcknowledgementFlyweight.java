package dev.stator.transport.wire;

import org.agrona.DirectBuffer;
import org.agrona.MutableDirectBuffer;

/**
 * How blocks ended at their receiver, some in one frame. A view: valid while its buffer is.
 *
 * <pre>
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +---------------+---------------+-------------------------------+
 *  |    Version    |   Type = 4    |        Count of Entries       |
 *  +---------------+---------------+-------------------------------+
 *  |                              0                                |
 *  +---------------------------------------------------------------+
 *  |                   Connection Id, 8 bytes                     ...   from the hello
 *  +===============================================================+
 *  |                   Transfer Id, 8 bytes                       ...   an entry
 *  +---------------------------------------------------------------+
 *  |                   Status, see StatusCodes                     |
 *  +---------------------------------------------------------------+
 *  |                              0                                |
 *  +---------------------------------------------------------------+
 * </pre>
 */
public final class AcknowledgementFlyweight {
  public static final int CONNECTION_ID_OFFSET = 8;
  public static final int HEADER_LENGTH = 16;
  public static final int ENTRY_TRANSFER_ID_OFFSET = 0;
  public static final int ENTRY_STATUS_OFFSET = 8;
  public static final int ENTRY_LENGTH = 16;

  /** Entries that fit a frame of the smallest MTU in use. */
  public static final int ENTRIES_MAX = 64;

  private DirectBuffer buffer;
  private int start;

  public static int length(int count) {
    return HEADER_LENGTH + count * ENTRY_LENGTH;
  }

  public static void encode(MutableDirectBuffer buffer, int start, long connectionId, int count) {
    FrameHeader.encode(buffer, start, FrameHeader.ACKNOWLEDGEMENT, count);
    buffer.putInt(start + FrameHeader.LENGTH, 0, FrameHeader.ORDER);
    buffer.putLong(start + CONNECTION_ID_OFFSET, connectionId, FrameHeader.ORDER);
  }

  public static void encodeEntry(
      MutableDirectBuffer buffer, int start, int index, long transferId, int status) {
    final int entry = start + length(index);
    buffer.putLong(entry + ENTRY_TRANSFER_ID_OFFSET, transferId, FrameHeader.ORDER);
    buffer.putInt(entry + ENTRY_STATUS_OFFSET, status, FrameHeader.ORDER);
    buffer.putInt(entry + ENTRY_STATUS_OFFSET + Integer.BYTES, 0, FrameHeader.ORDER);
  }

  /** The first thing wrong with its length; {@code null} when nothing is. */
  public static FrameFault check(DirectBuffer buffer, int start, int length) {
    if (length < HEADER_LENGTH) return FrameFault.TOO_SHORT;
    final int count = FrameHeader.count(buffer, start);
    if (count == 0 || count > ENTRIES_MAX) return FrameFault.OUT_OF_RANGE;
    return length == length(count) ? null : FrameFault.WRONG_LENGTH;
  }

  public AcknowledgementFlyweight wrap(DirectBuffer newBuffer, int newStart) {
    buffer = newBuffer;
    start = newStart;
    return this;
  }

  /** Bounded by what {@link #check} found, whatever the buffer says now. */
  public static int count(int length) {
    return (length - HEADER_LENGTH) / ENTRY_LENGTH;
  }

  public long connectionId() {
    return buffer.getLong(start + CONNECTION_ID_OFFSET, FrameHeader.ORDER);
  }

  public long transferId(int index) {
    return buffer.getLong(start + length(index) + ENTRY_TRANSFER_ID_OFFSET, FrameHeader.ORDER);
  }

  public int status(int index) {
    return buffer.getInt(start + length(index) + ENTRY_STATUS_OFFSET, FrameHeader.ORDER);
  }
}
