package dev.stator.multijvm;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A stranger: random bytes, and frames that begin as Aeron's do and end too soon, or belong to
 * nobody, or come again. One thread.
 */
final class Garbage implements AutoCloseable {
  private static final int LENGTH_MAX = 1400;
  private static final int CONNECTIONS = 50;
  private static final int CONNECT_TIMEOUT_MS = 5_000;
  private static final int FRAME_TYPES = 12; // Of Aeron: padding, data, NAK, status message, ...

  private final SplittableRandom random;
  private final DatagramSocket socket;
  private byte[] last = new byte[1];

  Garbage(long seed) throws IOException {
    this.random = new SplittableRandom(seed);
    this.socket = new DatagramSocket();
  }

  /** One of each kind to each port. */
  void toUdp(String host, List<Integer> ports) throws IOException {
    for (int port : ports) {
      final InetSocketAddress to = new InetSocketAddress(host, port);
      send(randomBytes(), to);
      send(frame(), to);
      send(last, to); // Again.
    }
  }

  private void send(byte[] bytes, InetSocketAddress to) throws IOException {
    last = bytes;
    socket.send(new DatagramPacket(bytes, bytes.length, to));
  }

  /** An Aeron header before random bytes: its length says more, or less, or the truth. */
  private byte[] frame() {
    final byte[] bytes = randomBytes();
    if (bytes.length < Long.BYTES) return bytes;
    final ByteBuffer frame = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    frame.putInt(0, random.nextBoolean() ? bytes.length : random.nextInt(2 * LENGTH_MAX));
    frame.put(4, (byte) 0); // Version.
    frame.putShort(6, (short) random.nextInt(FRAME_TYPES));
    return bytes;
  }

  private byte[] randomBytes() {
    final byte[] bytes = new byte[1 + random.nextInt(LENGTH_MAX)];
    random.nextBytes(bytes);
    return bytes;
  }

  /** Connections of which none says anything sensible; the other end may hang up at any time. */
  void toTcp(String address) throws IOException {
    final int colon = address.lastIndexOf(':');
    final int port = Integer.parseInt(address, colon + 1, address.length(), 10);
    for (int i = 0; i < CONNECTIONS; i++) {
      try (Socket stranger = new Socket()) {
        stranger.connect(
            new InetSocketAddress(address.substring(0, colon), port), CONNECT_TIMEOUT_MS);
        try {
          stranger.getOutputStream().write(randomBytes());
        } catch (IOException hungUp) {
          // As it should.
        }
      }
    }
  }

  @Override
  public void close() {
    socket.close();
  }
}
