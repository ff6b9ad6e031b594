package dev.stator.transport.local;

import dev.stator.transport.TransferBackend;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * What all frames between two processes have in common. Little-endian.
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
 *  of every backend
 *    HELLO        writer to receiver, first: the writer's folder, 36 characters of ASCII
 *    REFUSED      receiver to writer: why, UTF-8; the connection ends
 * </pre>
 *
 * A name within a body: its length in bytes, 2; unused, 6; UTF-8.
 */
public final class Frames {
  public static final byte VERSION = 1;

  public static final byte HELLO = 1;
  public static final byte REFUSED = 7;

  public static final int VERSION_OFFSET = 0;
  public static final int KIND_OFFSET = 1;
  public static final int COUNT_OFFSET = 2;
  public static final int LENGTH_OFFSET = 4;
  public static final int HEADER_LENGTH = 8;

  public static final int FOLDER_NAME_LENGTH = 36;
  public static final int NAME_HEADER_LENGTH = 8;
  public static final int NAME_LENGTH_MAX = 512;
  public static final int ENTRIES_MAX = 64;
  public static final int REASON_LENGTH_MAX = 512;
  public static final int FRAME_LENGTH_MAX =
      HEADER_LENGTH + NAME_HEADER_LENGTH + NAME_LENGTH_MAX + TransferBackend.MESSAGE_BYTES_MAX;

  private Frames() {}

  public static void putHeader(ByteBuffer out, byte kind, int count, int bodyLength) {
    out.put(VERSION).put(kind).putShort((short) count).putInt(HEADER_LENGTH + bodyLength);
  }

  public static void putName(ByteBuffer out, byte[] name) {
    out.putShort((short) name.length).putShort((short) 0).putInt(0).put(name);
  }

  /** {@code null} when there is none that fits. */
  public static String getName(ByteBuffer body) {
    if (body.remaining() < NAME_HEADER_LENGTH) return null;
    final int length = body.getShort() & 0xffff;
    body.getShort();
    body.getInt();
    if (length > NAME_LENGTH_MAX || length > body.remaining()) return null;
    return getText(body, length);
  }

  public static String getText(ByteBuffer body, int length) {
    final byte[] text = new byte[length];
    body.get(text);
    return new String(text, StandardCharsets.UTF_8);
  }

  /** Why these eight bytes begin no frame; {@code null} when they do. */
  public static String trouble(ByteBuffer in) {
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
