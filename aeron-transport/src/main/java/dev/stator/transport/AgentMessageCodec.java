package dev.stator.transport;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Bytes of {@link AgentMessage}s. Little-endian; a string is its UTF-8 length in 2 bytes, then its
 * bytes.
 *
 * <pre>
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +---------------+---------------+---------------+---------------+
 *  |    Version    |     Kind      |    Status     |   Endpoints   |   Endpoints: how many
 *  +---------------+---------------+---------------+---------------+
 *  |                         Move Count                            |
 *  +---------------------------------------------------------------+
 *  |             Grant Id, Key High, Key Low, 8 bytes each        ...
 *  +---------------------------------------------------------------+   READ_FAILED ends here
 *  |             Export Id, Key High, Key Low, 8 bytes each       ...
 *  +---------------------------------------------------------------+
 *  |             Block Bytes, 8; Grant Life in ns, 8              ...
 *  +---------------------------------------------------------------+
 *  |             Layout, Agent, Host: a string each               ...
 *  +---------------------------------------------------------------+
 *  |             each Endpoint: Backend, Endpoint: a string each  ...
 *  +---------------------------------------------------------------+
 *  |             each Move: Source Block, 4; Target Block, 4      ...
 *  +---------------------------------------------------------------+
 * </pre>
 */
final class AgentMessageCodec {
  static final byte VERSION = 1;
  static final byte READ_REQUEST = 1;
  static final byte READ_FAILED = 2;

  // 72 + 1024 moves of 8 + 15 strings of 2 + 512 stay below the 16384 of a message.
  private static final int ENDPOINTS_MAX = AgentAddress.ENDPOINTS_MAX;
  private static final int STRING_BYTES_MAX = AgentAddress.TEXT_BYTES_MAX;
  private static final TransferStatus[] STATUSES = TransferStatus.values();

  private AgentMessageCodec() {}

  static ByteBuffer encode(AgentMessage message) {
    final ByteBuffer bytes =
        ByteBuffer.allocate(TransferBackend.MESSAGE_BYTES_MAX).order(ByteOrder.LITTLE_ENDIAN);
    switch (message) {
      case AgentMessage.ReadRequest request -> encode(request, bytes);
      case AgentMessage.ReadFailed failed -> encode(failed, bytes);
    }
    return bytes.flip();
  }

  private static void encode(AgentMessage.ReadRequest request, ByteBuffer bytes) {
    final Grant grant = request.grant();
    final Map<String, String> endpoints = grant.agent().endpoints();
    bytes.put(VERSION).put(READ_REQUEST).put((byte) 0).put((byte) endpoints.size());
    bytes.putInt(request.moves().size());
    bytes.putLong(grant.id()).putLong(grant.keyHigh()).putLong(grant.keyLow());
    bytes.putLong(request.exportId());
    bytes.putLong(request.exportKeyHigh()).putLong(request.exportKeyLow());
    bytes.putLong(grant.geometry().blockBytes()).putLong(grant.life().toNanos());
    putString(grant.geometry().layout(), bytes);
    putString(grant.agent().agent(), bytes);
    putString(grant.agent().host(), bytes);
    endpoints.forEach((backend, endpoint) -> {
      putString(backend, bytes);
      putString(endpoint, bytes);
    });
    for (BlockMove move : request.moves()) {
      bytes.putInt(move.sourceBlock()).putInt(move.targetBlock());
    }
  }

  private static void encode(AgentMessage.ReadFailed failed, ByteBuffer bytes) {
    bytes.put(VERSION).put(READ_FAILED).put((byte) failed.status().ordinal()).put((byte) 0);
    bytes.putInt(0);
    bytes.putLong(failed.grantId()).putLong(failed.keyHigh()).putLong(failed.keyLow());
  }

  private static void putString(String text, ByteBuffer bytes) {
    final byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    bytes.putShort((short) utf8.length).put(utf8);
  }

  /** Empty for anything that {@link #encode} would not have made. */
  static Optional<AgentMessage> decode(ByteBuffer message) {
    final ByteBuffer bytes = message.slice().order(ByteOrder.LITTLE_ENDIAN);
    try {
      if (bytes.get() != VERSION) return Optional.empty();
      final AgentMessage decoded =
          switch (bytes.get()) {
            case READ_REQUEST -> decodeRequest(bytes);
            case READ_FAILED -> decodeFailed(bytes);
            default -> null;
          };
      return bytes.hasRemaining() ? Optional.empty() : Optional.ofNullable(decoded);
    } catch (BufferUnderflowException | IllegalArgumentException senseless) {
      return Optional.empty();
    }
  }

  private static AgentMessage decodeFailed(ByteBuffer bytes) {
    final int status = bytes.get() & 0xff;
    if (bytes.get() != 0 || bytes.getInt() != 0 || status >= STATUSES.length) return null;
    return new AgentMessage.ReadFailed(
        bytes.getLong(), bytes.getLong(), bytes.getLong(), STATUSES[status]);
  }

  private static AgentMessage decodeRequest(ByteBuffer bytes) {
    if (bytes.get() != 0) return null;
    final int endpointCount = bytes.get() & 0xff;
    final int moveCount = bytes.getInt();
    if (endpointCount > ENDPOINTS_MAX) return null;
    if (moveCount <= 0 || moveCount > AgentMessage.ReadRequest.MOVES_MAX) return null;
    final long grantId = bytes.getLong();
    final long grantKeyHigh = bytes.getLong();
    final long grantKeyLow = bytes.getLong();
    final long exportId = bytes.getLong();
    final long exportKeyHigh = bytes.getLong();
    final long exportKeyLow = bytes.getLong();
    final long blockBytes = bytes.getLong();
    final Duration life = Duration.ofNanos(bytes.getLong());
    final BlockGeometry geometry = new BlockGeometry(blockBytes, getString(bytes));
    final AgentAddress agent = getAddress(endpointCount, bytes);
    final List<BlockMove> moves = new ArrayList<>();
    for (int i = 0; i < moveCount; i++) moves.add(new BlockMove(bytes.getInt(), bytes.getInt()));
    final List<Integer> targets = moves.stream().map(BlockMove::targetBlock).toList();
    return new AgentMessage.ReadRequest(
        exportId,
        exportKeyHigh,
        exportKeyLow,
        new Grant(agent, grantId, grantKeyHigh, grantKeyLow, targets, geometry, life),
        moves);
  }

  private static AgentAddress getAddress(int endpointCount, ByteBuffer bytes) {
    final String agent = getString(bytes);
    final String host = getString(bytes);
    final Map<String, String> endpoints = new HashMap<>();
    for (int i = 0; i < endpointCount; i++) endpoints.put(getString(bytes), getString(bytes));
    return new AgentAddress(agent, host, endpoints);
  }

  private static String getString(ByteBuffer bytes) {
    final int length = bytes.getShort() & 0xffff;
    if (length > STRING_BYTES_MAX) throw new IllegalArgumentException("a string too long");
    final byte[] utf8 = new byte[length];
    bytes.get(utf8);
    return new String(utf8, StandardCharsets.UTF_8);
  }
}
