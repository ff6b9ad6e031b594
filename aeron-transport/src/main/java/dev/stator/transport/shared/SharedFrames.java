package dev.stator.transport.shared;

import dev.stator.transport.BlockDelivery;
import dev.stator.transport.TransferBackend;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * What goes over the socket between a writer's process and a receiver's. Little-endian.
 *
 * <pre>
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +---------------+---------------+-------------------------------+
 *  |    Version    |     Kind      |            Count              |   Count: of entries, else 0
 *  +---------------+---------------+-------------------------------+
 *  |                Length, bytes with this header                 |
 *  +---------------------------------------------------------------+
 *
 *  writer to receiver
 *    HELLO        the writer's folder: 36 characters of ASCII
 *    POOL         Pool Id, 4; unused, 4; Pool Bytes, 8; the file's name: 39 characters of ASCII
 *    POOL_CLOSED  Pool Id, 4; unused, 4
 *    POST         Agent Name Length, 2; unused, 6; Agent Name; then Count times
 *  +---------------------------------------------------------------+
 *  |      Sequence, Grant Id, Key High, Key Low, 8 bytes each     ...
 *  +---------------------------------------------------------------+
 *  |                        Target Block                           |
 *  +---------------------------------------------------------------+
 *  |                          Pool Id                              |
 *  +---------------------------------------------------------------+
 *  |      Offset, Length of the block in the pool, 8 bytes each   ...
 *  +---------------------------------------------------------------+
 *  |                   CRC32C of the block                         |
 *  +---------------------------------------------------------------+
 *  |                          Unused                               |
 *  +---------------------------------------------------------------+
 *    MESSAGE      Agent Name Length, 2; unused, 6; Agent Name; the message
 *
 *  receiver to writer
 *    ANSWER       Count times: Sequence, 8; Status, 1; unused, 7
 *    REFUSED      why, UTF-8; the connection ends
 * </pre>
 */
final class SharedFrames {
  static final byte VERSION = 1;

  static final byte HELLO = 1;
  static final byte POOL = 2;
  static final byte POOL_CLOSED = 3;
  static final byte POST = 4;
  static final byte MESSAGE = 5;
  static final byte ANSWER = 6;
  static final byte REFUSED = 7;

  static final int VERSION_OFFSET = 0;
  static final int KIND_OFFSET = 1;
  static final int COUNT_OFFSET = 2;
  static final int LENGTH_OFFSET = 4;
  static final int HEADER_LENGTH = 8;

  static final int FOLDER_NAME_LENGTH = 36;
  static final int POOL_NAME_LENGTH = 39;
  static final int POOL_LENGTH = 16 + POOL_NAME_LENGTH;
  static final int POOL_CLOSED_LENGTH = 8;
  static final int NAME_HEADER_LENGTH = 8;
  static final int NAME_LENGTH_MAX = 512;
  static final int POST_ENTRY_LENGTH = 64;
  static final int ANSWER_ENTRY_LENGTH = 16;
  static final int ENTRIES_MAX = 64;
  static final int REASON_LENGTH_MAX = 512;
  static final int FRAME_LENGTH_MAX =
      HEADER_LENGTH + NAME_HEADER_LENGTH + NAME_LENGTH_MAX + TransferBackend.MESSAGE_BYTES_MAX;

  /** One block's way, as the writer posts it. */
  record Post(
      long sequence,
      long grantId,
      long keyHigh,
      long keyLow,
      int targetBlock,
      int poolId,
      long offset,
      long length,
      int checksum) {
    void encode(ByteBuffer out) {
      out.putLong(sequence).putLong(grantId).putLong(keyHigh).putLong(keyLow);
      out.putInt(targetBlock).putInt(poolId).putLong(offset).putLong(length);
      out.putInt(checksum).putInt(0);
    }

    /** The block, which lies here. */
    BlockDelivery delivery(MemorySegment bytes) {
      return new BlockDelivery(grantId, keyHigh, keyLow, targetBlock, checksum, bytes);
    }

    static Post decode(ByteBuffer in) {
      final Post post =
          new Post(
              in.getLong(),
              in.getLong(),
              in.getLong(),
              in.getLong(),
              in.getInt(),
              in.getInt(),
              in.getLong(),
              in.getLong(),
              in.getInt());
      in.getInt();
      return post;
    }
  }

  private SharedFrames() {}

  static void putHeader(ByteBuffer out, byte kind, int count, int bodyLength) {
    out.put(VERSION).put(kind).putShort((short) count).putInt(HEADER_LENGTH + bodyLength);
  }

  static void putName(ByteBuffer out, byte[] name) {
    out.putShort((short) name.length).putShort((short) 0).putInt(0).put(name);
  }

  /** {@code null} when there is none that fits. */
  static String getName(ByteBuffer body) {
    if (body.remaining() < NAME_HEADER_LENGTH) return null;
    final int length = body.getShort() & 0xffff;
    body.getShort();
    body.getInt();
    if (length > NAME_LENGTH_MAX || length > body.remaining()) return null;
    return getText(body, length);
  }

  static String getText(ByteBuffer body, int length) {
    final byte[] text = new byte[length];
    body.get(text);
    return new String(text, StandardCharsets.UTF_8);
  }

  /** Why these eight bytes begin no frame; {@code null} when they do. */
  static String trouble(ByteBuffer in) {
    final int at = in.position();
    final byte version = in.get(at + VERSION_OFFSET);
    final int length = in.getInt(at + LENGTH_OFFSET);
    final int count = in.getShort(at + COUNT_OFFSET) & 0xffff;
    if (version != VERSION) return "frames of version " + version + ", this speaks " + VERSION;
    if (length < HEADER_LENGTH || length > FRAME_LENGTH_MAX) return "a frame of " + length;
    if (count > ENTRIES_MAX) return "a frame of " + count + " entries";
    return null;
  }
}
