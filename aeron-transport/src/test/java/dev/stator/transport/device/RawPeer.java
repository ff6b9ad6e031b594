package dev.stator.transport.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.transport.BlockPull;
import dev.stator.transport.TransferStatus;
import dev.stator.transport.local.Frames;
import dev.stator.transport.local.SharedFolder;
import dev.stator.transport.wire.StatusCodes;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A process that speaks frames by hand. Not for several threads. */
final class RawPeer implements AutoCloseable {
  final SharedFolder folder;
  private final ServerSocketChannel server;
  private SocketChannel socket;

  RawPeer(Path root) throws IOException {
    folder = SharedFolder.open(root);
    server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(folder.socket()));
  }

  /** To a process, by its folder's name. */
  void connect(String name) throws IOException {
    if (socket != null) socket.close();
    socket = SocketChannel.open(StandardProtocolFamily.UNIX);
    socket.connect(UnixDomainSocketAddress.of(folder.socketOf(name)));
  }

  /** The next that connects. */
  void accept() throws IOException {
    socket = server.accept();
  }

  void greet() throws IOException {
    send(hello(folder.name()));
  }

  void disconnect() throws IOException {
    socket.close();
  }

  void send(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) socket.write(bytes);
  }

  /** Byte by byte. */
  void sendTorn(ByteBuffer bytes) throws IOException {
    for (int i = 0; i < bytes.limit(); i++) send(bytes.slice(i, 1));
  }

  /** Sends all of it, and reads until the other side has nothing to say. */
  ByteBuffer exchange(ByteBuffer bytes) throws IOException {
    final ByteBuffer answer = ByteBuffer.allocate(64 * 1024).order(ByteOrder.LITTLE_ENDIAN);
    try {
      send(bytes);
      socket.shutdownOutput();
      while (socket.read(answer) >= 0 && answer.hasRemaining()) continue;
    } catch (IOException closed) {
      // It has hung up on us.
    }
    return answer.flip();
  }

  /** The body of the next frame, which is of this kind. */
  ByteBuffer receive(byte kind) throws IOException {
    final ByteBuffer header = read(Frames.HEADER_LENGTH);
    final ByteBuffer body = read(header.getInt(Frames.LENGTH_OFFSET) - Frames.HEADER_LENGTH);
    assertEquals(kind, header.get(Frames.KIND_OFFSET), "kind of frame");
    return body;
  }

  private ByteBuffer read(int length) throws IOException {
    final ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) assertTrue(socket.read(bytes) >= 0, "hung up");
    return bytes.flip();
  }

  /** That frame, of one block. */
  void receivePulled(long sequence) throws IOException {
    assertEquals(sequence, receive(DeviceFrames.PULLED).getLong());
  }

  TransferStatus receiveAnswer(long sequence) throws IOException {
    final ByteBuffer body = receive(DeviceFrames.ANSWER);
    assertEquals(sequence, body.getLong());
    return StatusCodes.decode((int) body.getLong());
  }

  /** Of each block in the next frame. */
  List<DeviceFrames.Post> receivePosts() throws IOException {
    final ByteBuffer body = receive(DeviceFrames.POST);
    assertTrue(Frames.getName(body) != null);
    final List<DeviceFrames.Post> posts = new ArrayList<>();
    while (body.hasRemaining()) posts.add(DeviceFrames.Post.decode(body));
    return posts;
  }

  static ByteBuffer hello(String name) {
    return frame(Frames.HELLO, 0, name.getBytes(StandardCharsets.US_ASCII));
  }

  static ByteBuffer pool(int id, int length, byte[] handle) {
    final ByteBuffer body = body(DeviceFrames.POOL_HEADER_LENGTH + handle.length);
    return frame(DeviceFrames.POOL, 0, body.putInt(id).putInt(length).put(handle).array());
  }

  static ByteBuffer pool(int id, byte[] handle) {
    return pool(id, handle.length, handle);
  }

  static ByteBuffer id(byte kind, int id) {
    return frame(kind, 0, body(DeviceFrames.POOL_ID_LENGTH).putInt(id).array());
  }

  static ByteBuffer post(String agent, long sequence, int poolId, BlockPull pull) {
    final byte[] name = agent.getBytes(StandardCharsets.US_ASCII);
    final ByteBuffer body =
        body(Frames.NAME_HEADER_LENGTH + name.length + DeviceFrames.POST_ENTRY_LENGTH);
    Frames.putName(body, name);
    new DeviceFrames.Post(sequence, poolId, pull).encode(body);
    return frame(DeviceFrames.POST, 1, body.array());
  }

  static ByteBuffer confirm(long sequence, boolean isHeld) {
    final ByteBuffer body = body(DeviceFrames.CONFIRM_ENTRY_LENGTH);
    return frame(DeviceFrames.CONFIRM, 1, body.putLong(sequence).putLong(isHeld ? 1 : 0).array());
  }

  static ByteBuffer pulled(long... sequences) {
    final ByteBuffer body = body(sequences.length * DeviceFrames.PULLED_ENTRY_LENGTH);
    for (long sequence : sequences) body.putLong(sequence);
    return frame(DeviceFrames.PULLED, sequences.length, body.array());
  }

  static ByteBuffer answer(long sequence, int code) {
    final ByteBuffer body = body(DeviceFrames.ANSWER_ENTRY_LENGTH);
    return frame(DeviceFrames.ANSWER, 1, body.putLong(sequence).putLong(code).array());
  }

  private static ByteBuffer body(int length) {
    return ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
  }

  static ByteBuffer frame(byte kind, int count, byte[] body) {
    final ByteBuffer frame = body(Frames.HEADER_LENGTH + body.length);
    Frames.putHeader(frame, kind, count, body.length);
    return frame.put(body).flip();
  }

  @Override
  public void close() throws IOException {
    if (socket != null) socket.close();
    server.close();
    folder.close();
  }
}
