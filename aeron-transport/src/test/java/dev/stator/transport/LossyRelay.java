package dev.stator.transport;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.Random;

/** Stands between one sender and a receiver's UDP port; loses, repeats and swaps by a seed. */
final class LossyRelay implements AutoCloseable {
  private static final double FAULT = 0.03; // Each of three.

  private final Selector selector = Selector.open();
  private final DatagramChannel front = open();
  private final DatagramChannel back = open();
  private final SocketAddress receiver;
  private final Random random;
  private final Thread thread;
  private SocketAddress sender;
  private ByteBuffer held;
  private volatile int faultCount;

  private LossyRelay(SocketAddress receiver, long seed) throws IOException {
    this.receiver = receiver;
    this.random = new Random(seed);
    front.register(selector, SelectionKey.OP_READ);
    back.register(selector, SelectionKey.OP_READ);
    thread = Thread.ofPlatform().daemon().name("lossy-relay").start(this::run);
  }

  static LossyRelay to(String endpoint, long seed) throws IOException {
    final int colon = endpoint.lastIndexOf(':');
    return new LossyRelay(
        new InetSocketAddress(
            endpoint.substring(0, colon), Integer.parseInt(endpoint.substring(colon + 1))),
        seed);
  }

  private static DatagramChannel open() throws IOException {
    final DatagramChannel channel = DatagramChannel.open();
    channel.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    channel.configureBlocking(false);
    return channel;
  }

  String endpoint() throws IOException {
    return "127.0.0.1:" + ((InetSocketAddress) front.getLocalAddress()).getPort();
  }

  int faultCount() {
    return faultCount;
  }

  private void run() {
    final ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 16);
    try {
      while (selector.isOpen()) {
        selector.select();
        if (!selector.isOpen()) return;
        selector.selectedKeys().clear();
        forward(buffer);
      }
    } catch (IOException | ClosedSelectorException closed) {
      // The test has ended.
    }
  }

  private void forward(ByteBuffer buffer) throws IOException {
    for (SocketAddress from = front.receive(buffer.clear());
        from != null;
        from = front.receive(buffer.clear())) {
      sender = from;
      relay(buffer.flip(), back, receiver);
    }
    while (sender != null && back.receive(buffer.clear()) != null) {
      relay(buffer.flip(), front, sender);
    }
  }

  private void relay(ByteBuffer datagram, DatagramChannel through, SocketAddress to)
      throws IOException {
    final double dice = random.nextDouble();
    if (dice < 3 * FAULT) faultCount++;
    if (dice < FAULT) return;
    if (dice < 2 * FAULT) through.send(datagram.duplicate(), to);
    if (dice >= 2 * FAULT && dice < 3 * FAULT && through == back && held == null) {
      held = ByteBuffer.allocate(datagram.remaining()).put(datagram).flip();
      return;
    }
    through.send(datagram, to);
    if (through == back && held != null) {
      through.send(held, to);
      held = null;
    }
  }

  @Override
  public void close() throws IOException {
    selector.close();
    front.close();
    back.close();
    try {
      thread.join(5000);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
