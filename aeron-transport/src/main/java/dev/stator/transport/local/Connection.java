package dev.stator.transport.local;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Frames over one Unix domain socket.
 *
 * <p><b>Threads:</b> frames arrive on the loop's thread; any thread appends and flushes. What does
 * not go out at once waits in a buffer of bounded length, and goes when the other side reads.
 */
public abstract class Connection implements SocketLoop.Handler {
  private static final Logger LOG = LoggerFactory.getLogger(Connection.class);
  private static final int OUT_BYTES = 16 * 1024;
  private static final int OUT_BYTES_MAX = 1024 * 1024;

  private final SocketChannel channel;
  private final SocketLoop loop;

  // The loop's thread alone.
  private final ByteBuffer in =
      ByteBuffer.allocateDirect(4 * Frames.FRAME_LENGTH_MAX).order(ByteOrder.LITTLE_ENDIAN);

  // Guarded by this.
  private ByteBuffer out = ByteBuffer.allocateDirect(OUT_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private boolean isWaiting; // The loop flushes when it can.
  private boolean closed;

  protected Connection(SocketChannel channel, SocketLoop loop) {
    this.channel = channel;
    this.loop = loop;
  }

  /** Begins to read. */
  public final void start() {
    loop.register(channel, SelectionKey.OP_READ, this);
  }

  /**
   * A frame has come in. The loop's thread.
   *
   * @param body valid during the call
   * @return why it makes no sense, which ends the connection; {@code null} when it does
   */
  protected abstract String onFrame(byte kind, int count, ByteBuffer body);

  /** All frames that were there have come in. The loop's thread. */
  protected void onAllRead() {}

  /** Called once, on any thread: nothing comes or goes any more. */
  protected abstract void onClosed();

  /** A frame that begins with these bytes is none of ours. The loop's thread. */
  protected abstract void onSenseless(String trouble);

  @Override
  public final void ready(SelectionKey key) throws IOException {
    if (key.isWritable()) {
      key.interestOpsAnd(~SelectionKey.OP_WRITE);
      synchronized (this) {
        isWaiting = false;
      }
      flush();
    }
    if (key.isReadable()) read();
  }

  private void read() throws IOException {
    final int length = channel.read(in);
    if (length < 0) throw new EOFException("the other process has gone");
    in.flip();
    while (in.remaining() >= Frames.HEADER_LENGTH) {
      final String trouble = Frames.trouble(in);
      if (trouble != null) {
        refuse(trouble);
        return;
      }
      final int frameLength = in.getInt(in.position() + Frames.LENGTH_OFFSET);
      if (in.remaining() < frameLength) break;
      final String senseless = frame(in.slice(in.position(), frameLength));
      if (senseless != null) {
        refuse(senseless);
        return;
      }
      in.position(in.position() + frameLength);
    }
    in.compact();
    onAllRead();
  }

  private String frame(ByteBuffer frame) {
    frame.order(ByteOrder.LITTLE_ENDIAN);
    final byte kind = frame.get(Frames.KIND_OFFSET);
    final int count = frame.getShort(Frames.COUNT_OFFSET) & 0xffff;
    return onFrame(kind, count, frame.position(Frames.HEADER_LENGTH));
  }

  private void refuse(String trouble) {
    onSenseless(trouble);
    close();
  }

  /** Appends a frame; {@code false} when closed or too much is waiting. */
  public final synchronized boolean append(
      byte kind, int count, int bodyLength, Consumer<ByteBuffer> body) {
    if (!hasRoom(Frames.HEADER_LENGTH + bodyLength)) return false;
    Frames.putHeader(out, kind, count, bodyLength);
    body.accept(out);
    return true;
  }

  /** Runs it on the loop's thread. */
  public final void execute(Runnable task) {
    loop.execute(task);
  }

  private boolean hasRoom(int length) {
    if (closed) return false;
    if (out.remaining() >= length) return true;
    int capacity = out.capacity();
    while (capacity - out.position() < length) capacity *= 2;
    if (capacity > OUT_BYTES_MAX) return false;
    final ByteBuffer wider = ByteBuffer.allocateDirect(capacity).order(ByteOrder.LITTLE_ENDIAN);
    out = wider.put(out.flip());
    return true;
  }

  /** Lets go what has been appended. Never blocks. */
  public final void flush() {
    try {
      if (tryFlush()) loop.awaitWritable(channel);
    } catch (IOException gone) {
      broken(gone);
    }
  }

  /** Whether the loop has to take over. */
  private synchronized boolean tryFlush() throws IOException {
    if (closed || isWaiting || out.position() == 0) return false;
    out.flip();
    try {
      channel.write(out);
    } finally {
      out.compact();
    }
    isWaiting = out.position() > 0;
    return isWaiting;
  }

  @Override
  public final void broken(IOException why) {
    LOG.debug("Closed: {}", why.getMessage());
    close();
  }

  public final synchronized boolean isClosed() {
    return closed;
  }

  /** Nothing comes or goes any more; once. */
  public final void close() {
    synchronized (this) {
      if (closed) return;
      closed = true;
    }
    try {
      channel.close();
    } catch (IOException broken) {
      LOG.warn("Cannot close", broken);
    }
    onClosed();
  }
}
