package dev.stator.transport.wire;

import dev.stator.transport.TransferBackend;
import org.agrona.DirectBuffer;
import org.agrona.MutableDirectBuffer;

/**
 * A piece of a message from agent to agent, such as a request to read. A view: valid while its
 * buffer is. Its pieces are sent in order, and none of another message between them.
 *
 * <pre>
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +---------------+---------------+-------------------------------+
 *  |    Version    |   Type = 5    |               0               |
 *  +---------------+---------------+-------------------------------+
 *  |                   Message Length, bytes                       |
 *  +---------------------------------------------------------------+
 *  |                   Offset, bytes from the message's start      |
 *  +---------------------------------------------------------------+
 *  |                   Piece Length, bytes                         |
 *  +---------------------------------------------------------------+
 *  |                   Bytes of the message                       ...
 * </pre>
 */
public final class MessageFlyweight {
  public static final int MESSAGE_LENGTH_OFFSET = 4;
  public static final int OFFSET_OFFSET = 8;
  public static final int PIECE_LENGTH_OFFSET = 12;
  public static final int HEADER_LENGTH = 16;
  public static final int MESSAGE_LENGTH_MAX = TransferBackend.MESSAGE_BYTES_MAX;

  private DirectBuffer buffer;
  private int start;

  public static void encode(
      MutableDirectBuffer buffer, int start, int messageLength, int offset, int pieceLength) {
    FrameHeader.encode(buffer, start, FrameHeader.MESSAGE, 0);
    buffer.putInt(start + MESSAGE_LENGTH_OFFSET, messageLength, FrameHeader.ORDER);
    buffer.putInt(start + OFFSET_OFFSET, offset, FrameHeader.ORDER);
    buffer.putInt(start + PIECE_LENGTH_OFFSET, pieceLength, FrameHeader.ORDER);
  }

  /** The first thing wrong with lengths and offset; {@code null} when nothing is. */
  public static FrameFault check(DirectBuffer buffer, int start, int length) {
    if (length < HEADER_LENGTH) return FrameFault.TOO_SHORT;
    final int pieceLength = buffer.getInt(start + PIECE_LENGTH_OFFSET, FrameHeader.ORDER);
    if (pieceLength <= 0 || pieceLength != length - HEADER_LENGTH) return FrameFault.WRONG_LENGTH;
    final int messageLength = buffer.getInt(start + MESSAGE_LENGTH_OFFSET, FrameHeader.ORDER);
    if (messageLength < pieceLength || messageLength > MESSAGE_LENGTH_MAX) {
      return FrameFault.WRONG_LENGTH;
    }
    final int offset = buffer.getInt(start + OFFSET_OFFSET, FrameHeader.ORDER);
    return offset < 0 || offset > messageLength - pieceLength ? FrameFault.OUT_OF_RANGE : null;
  }

  public MessageFlyweight wrap(DirectBuffer newBuffer, int newStart) {
    buffer = newBuffer;
    start = newStart;
    return this;
  }

  public int messageLength() {
    return buffer.getInt(start + MESSAGE_LENGTH_OFFSET, FrameHeader.ORDER);
  }

  public int offset() {
    return buffer.getInt(start + OFFSET_OFFSET, FrameHeader.ORDER);
  }
}
