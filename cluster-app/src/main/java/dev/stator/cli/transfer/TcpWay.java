package dev.stator.cli.transfer;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;

/**
 * A plain TCP socket over the loopback, nothing checked: what UDP compares with. Tuned: writes of
 * up to 1 MiB straight from the source, reads straight into the target, no delay.
 *
 * <p>Each transfer is its length (8 bytes), its bytes, and one byte back when all have arrived.
 */
final class TcpWay implements Way {
  static final String NAME = "tcp";

  private static final int WRITE_BYTES = 1 << 20;

  private final MemorySegment source;
  private final int blockBytes;
  private final SocketChannel socket;
  private final ByteBuffer header = ByteBuffer.allocateDirect(Long.BYTES);
  private final ByteBuffer answer = ByteBuffer.allocateDirect(1);

  TcpWay(MemorySegment source, int blockBytes, int port) throws IOException {
    this.source = source;
    this.blockBytes = blockBytes;
    this.socket = SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public int processes() {
    return 2;
  }

  @Override
  public void moveAll() throws IOException {
    move(0, source.byteSize());
  }

  @Override
  public long[] moveEach(int blocks) throws IOException {
    final long[] tookNs = new long[blocks];
    for (int i = 0; i < blocks; i++) {
      final long startNs = System.nanoTime();
      move((long) i * blockBytes % source.byteSize(), blockBytes);
      tookNs[i] = System.nanoTime() - startNs;
    }
    return tookNs;
  }

  private void move(long from, long bytes) throws IOException {
    writeAll(header.clear().putLong(bytes).flip());
    for (long at = from; at < from + bytes; at += WRITE_BYTES) {
      final long length = Math.min(WRITE_BYTES, from + bytes - at);
      writeAll(source.asSlice(at, length).asByteBuffer());
    }
    readAll(socket, answer.clear());
  }

  private void writeAll(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) socket.write(bytes);
  }

  private static void readAll(SocketChannel from, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      if (from.read(bytes) < 0) throw new EOFException("the other process has gone");
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }

  /** The receiving side: one connection, until it ends. */
  static void serve(ServerSocketChannel server, MemorySegment target) throws IOException {
    try (server;
        SocketChannel socket = server.accept()) {
      socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
      final ByteBuffer header = ByteBuffer.allocateDirect(Long.BYTES);
      final ByteBuffer answer = ByteBuffer.allocateDirect(1);
      while (true) {
        header.clear();
        while (header.hasRemaining()) if (socket.read(header) < 0) return;
        final long bytes = header.flip().getLong();
        for (long at = 0; at < bytes; at += WRITE_BYTES) {
          readAll(socket, target.asSlice(at, Math.min(WRITE_BYTES, bytes - at)).asByteBuffer());
        }
        answer.clear();
        while (answer.hasRemaining()) socket.write(answer);
      }
    }
  }
}
