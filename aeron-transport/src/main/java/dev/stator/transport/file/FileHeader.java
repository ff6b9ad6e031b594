package dev.stator.transport.file;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * What every file begins with. Little-endian.
 *
 * <pre>
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +---------------+---------------+-------------------------------+
 *  |    Version    |     Kind      |       Agent Name Length       |
 *  +---------------+---------------+-------------------------------+
 *  |                       CRC32C of the body                      |
 *  +---------------------------------------------------------------+
 *  |      Sequence, Grant Id, Key High, Key Low, 8 bytes each     ...
 *  +---------------------------------------------------------------+
 *  |                        Target Block                           |
 *  +---------------------------------------------------------------+
 *  |                          Unused                               |
 *  +---------------------------------------------------------------+
 *  |                      Body Length, 8 bytes                    ...
 *  +---------------------------------------------------------------+
 *  |                Agent Name, UTF-8; then the body              ...
 *  +---------------------------------------------------------------+
 *
 *  BLOCK     the body is the block
 *  MESSAGE   the body is the message; no Grant, no Target Block
 *  ANSWER    no agent; the body is, for each of some blocks: Sequence, 8; Status, 1; unused, 7
 * </pre>
 */
record FileHeader(
    byte kind,
    String agent,
    int checksum,
    long sequence,
    long grantId,
    long keyHigh,
    long keyLow,
    int targetBlock,
    long bodyLength) {
  static final byte VERSION = 1;
  static final byte BLOCK = 1;
  static final byte MESSAGE = 2;
  static final byte ANSWER = 3;

  static final int FIXED_LENGTH = 56;
  static final int NAME_LENGTH_MAX = 512;
  static final int ANSWER_ENTRY_LENGTH = 16;
  static final int ANSWERS_MAX = 1024; // Of one file.

  /** Of a file that is not for a grant. */
  static FileHeader plain(byte kind, String agent, int checksum, long bodyLength) {
    return new FileHeader(kind, agent, checksum, 0, 0, 0, 0, 0, bodyLength);
  }

  ByteBuffer encode() {
    final byte[] name = agent.getBytes(StandardCharsets.UTF_8);
    final ByteBuffer bytes =
        ByteBuffer.allocate(FIXED_LENGTH + name.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.put(VERSION).put(kind).putShort((short) name.length).putInt(checksum);
    bytes.putLong(sequence).putLong(grantId).putLong(keyHigh).putLong(keyLow);
    bytes.putInt(targetBlock).putInt(0).putLong(bodyLength).put(name);
    return bytes.flip();
  }

  /**
   * {@code null} for what is no header.
   *
   * @param bytes from the file's start, as many as there are of the longest header
   * @return with the position of {@code bytes} behind it
   */
  static FileHeader decode(ByteBuffer bytes) {
    bytes.order(ByteOrder.LITTLE_ENDIAN);
    if (bytes.remaining() < FIXED_LENGTH || bytes.get() != VERSION) return null;
    final byte kind = bytes.get();
    final int nameLength = bytes.getShort() & 0xffff;
    final int checksum = bytes.getInt();
    final long sequence = bytes.getLong();
    final long grantId = bytes.getLong();
    final long keyHigh = bytes.getLong();
    final long keyLow = bytes.getLong();
    final int targetBlock = bytes.getInt();
    bytes.getInt();
    final long bodyLength = bytes.getLong();
    if (kind < BLOCK || kind > ANSWER || bodyLength < 0) return null;
    if (nameLength > NAME_LENGTH_MAX || nameLength > bytes.remaining()) return null;
    final byte[] name = new byte[nameLength];
    bytes.get(name);
    return new FileHeader(
        kind,
        new String(name, StandardCharsets.UTF_8),
        checksum,
        sequence,
        grantId,
        keyHigh,
        keyLow,
        targetBlock,
        bodyLength);
  }
}
