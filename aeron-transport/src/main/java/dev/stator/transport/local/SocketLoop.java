package dev.stator.transport.local;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One thread that waits for its sockets, and sleeps while nothing happens. */
public final class SocketLoop implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SocketLoop.class);

  /**
   * What a socket does when it can. Called on the loop's thread; an exception closes the socket.
   */
  public interface Handler {
    void ready(SelectionKey key) throws IOException;

    /** The socket is of no more use. */
    void broken(IOException why);
  }

  private final Selector selector;
  private final Thread thread;
  private final Queue<Runnable> changes = new ConcurrentLinkedQueue<>();

  /**
   * @param name of the thread
   */
  public SocketLoop(String name) {
    try {
      this.selector = Selector.open();
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
    this.thread = Thread.ofPlatform().daemon().name(name).start(this::run);
  }

  /** Any thread. */
  public void register(SelectableChannel channel, int interest, Handler handler) {
    execute(() -> {
      try {
        channel.configureBlocking(false).register(selector, interest, handler);
      } catch (IOException gone) {
        handler.broken(gone);
      }
    });
  }

  /** Also waits until this socket takes more. Any thread. */
  public void awaitWritable(SelectableChannel channel) {
    execute(() -> {
      final SelectionKey key = channel.keyFor(selector);
      if (key != null && key.isValid()) key.interestOpsOr(SelectionKey.OP_WRITE);
    });
  }

  /** Runs it on the thread; of each socket there is one at a time. Any thread. */
  public void execute(Runnable change) {
    changes.add(change);
    selector.wakeup();
  }

  private void run() {
    try {
      while (selector.isOpen()) {
        selector.select(SocketLoop::handle);
        for (Runnable due = changes.poll(); due != null; due = changes.poll()) run(due);
      }
    } catch (ClosedSelectorException closed) {
      LOG.debug("Closed");
    } catch (IOException broken) {
      LOG.error("No block comes or goes over these sockets any more", broken);
    }
  }

  private static void run(Runnable due) {
    try {
      due.run();
    } catch (RuntimeException | Error bug) { // Others still have to move.
      LOG.error("Blocks may be lost", bug);
    }
  }

  private static void handle(SelectionKey key) {
    final Handler handler = (Handler) key.attachment();
    try {
      if (key.isValid()) handler.ready(key);
    } catch (IOException | RuntimeException | Error broken) { // Other sockets still have to move.
      key.cancel();
      handler.broken(broken instanceof IOException io ? io : new IOException(broken));
    }
  }

  /** Returns when the thread has ended, unless it is the caller. */
  @Override
  public void close() {
    try {
      selector.close();
      if (Thread.currentThread() != thread) thread.join();
    } catch (IOException broken) {
      LOG.warn("Cannot close", broken);
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }
}
