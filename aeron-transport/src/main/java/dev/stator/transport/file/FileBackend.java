package dev.stator.transport.file;

import dev.stator.transport.AgentAddress;
import dev.stator.transport.AgentSinks;
import dev.stator.transport.BlockSink;
import dev.stator.transport.BlockWrite;
import dev.stator.transport.Checksums;
import dev.stator.transport.Grant;
import dev.stator.transport.RejectionCounters;
import dev.stator.transport.TransferBackend;
import dev.stator.transport.TransferStatus;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Blocks as files in a folder that both processes see. Each writes into the other's inbox, and
 * looks into its own from time to time.
 *
 * <ul>
 *   <li><b>Safety:</b> only the receiver writes into its memory, by its own grants and clock.
 *   <li><b>Threads:</b> any; all files are handled by one thread. While nothing moves it looks
 *       every {@code poll-max}.
 *   <li><b>Bounds:</b> {@link FileSettings}; a block that its writer has given up is deleted from
 *       the inbox it still lies in.
 * </ul>
 */
public final class FileBackend implements TransferBackend {
  public static final String NAME = "file";

  private static final Logger LOG = LoggerFactory.getLogger(FileBackend.class);
  private static final TransferStatus[] STATUSES = TransferStatus.values();
  private static final int TURN_MAX = 64; // Files read, and written, before the other's turn.

  /** What waits for the thread. */
  private sealed interface Task {
    record Write(BlockWrite write) implements Task {}

    record Message(AgentAddress to, ByteBuffer bytes) implements Task {}
  }

  /** A block in somebody's inbox. */
  private record Pending(BlockWrite write, String receiver, Path file) {}

  private final FileSettings settings;
  private final FileFolder folder;
  private final RejectionCounters counters = new RejectionCounters();
  private final AgentSinks sinks = new AgentSinks();
  private final BlockingQueue<Task> tasks;
  private final Thread thread;
  private volatile boolean closed;

  // The thread's alone.
  private final Map<Long, Pending> pending = new HashMap<>(); // By sequence.
  private final Inbox inbox;
  private long nextSequence;
  private long touchedNs;

  private FileBackend(FileSettings settings, FileFolder folder) {
    this.settings = settings;
    this.folder = folder;
    this.inbox = new Inbox(folder, counters, sinks::of, this::answered);
    this.tasks = new ArrayBlockingQueue<>(settings.blocksMax());
    this.thread = Thread.ofPlatform().daemon().name("stator-file").unstarted(this::run);
  }

  /**
   * Makes this process reachable, and deletes what others have left long ago.
   *
   * @throws UncheckedIOException when the settings' folder cannot be used
   */
  public static FileBackend start(FileSettings settings) {
    final var backend =
        new FileBackend(settings, FileFolder.open(settings.folder(), settings.staleAfter()));
    backend.thread.start();
    return backend;
  }

  /** What was refused before it reached an agent, by reason. */
  public Map<TransferStatus, Long> rejected() {
    return counters.counts();
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Map<String, String> attach(String agent, BlockSink sink) {
    sinks.attach(agent, sink);
    return Map.of(NAME, folder.name());
  }

  @Override
  public void detach(String agent) {
    sinks.detach(agent);
  }

  @Override
  public boolean reaches(AgentAddress to) {
    final String name = to.endpoints().get(NAME);
    return name != null && folder.has(name);
  }

  @Override
  public boolean offer(BlockWrite write) {
    return tasks.offer(new Task.Write(write));
  }

  @Override
  public boolean send(AgentAddress to, MemorySegment message) {
    if (message.byteSize() > MESSAGE_BYTES_MAX || !reaches(to)) return false;
    final ByteBuffer copy = ByteBuffer.wrap(message.toArray(ValueLayout.JAVA_BYTE));
    return tasks.offer(new Task.Message(to, copy));
  }

  private void run() {
    long waitNs = settings.pollMin().toNanos();
    while (!closed) {
      try {
        final int done = inbox.read(TURN_MAX) + writeTurn(waitNs);
        forget();
        touch();
        waitNs =
            done > 0
                ? settings.pollMin().toNanos()
                : Math.min(2 * waitNs, settings.pollMax().toNanos());
      } catch (InterruptedException stopped) {
        return;
      } catch (IOException | RuntimeException broken) {
        if (!closed) LOG.warn("Blocks cannot move as files in {}", settings.folder(), broken);
        waitNs = settings.pollMax().toNanos();
      }
    }
  }

  /** Writes what waits, or waits for it. */
  private int writeTurn(long waitNs) throws InterruptedException {
    int written = 0;
    Task task = tasks.poll(waitNs, TimeUnit.NANOSECONDS);
    while (task != null) {
      switch (task) {
        case Task.Write(var write) -> write(write);
        case Task.Message(var to, var bytes) -> message(to, bytes);
      }
      task = ++written < TURN_MAX ? tasks.poll() : null;
    }
    return written;
  }

  private void write(BlockWrite write) {
    if (pending.size() >= settings.blocksMax()) {
      write.complete(TransferStatus.BACK_PRESSURED);
      return;
    }
    final String receiver = write.grant().agent().endpoints().get(NAME);
    if (receiver == null || !folder.has(receiver)) {
      write.complete(TransferStatus.UNREACHABLE);
      return;
    }
    final MemorySegment block = acquire(write);
    if (block == null) return;
    try {
      put(write, receiver, block);
    } catch (IOException broken) {
      LOG.warn("Not written: {}", broken.toString());
      write.complete(folder.has(receiver) ? TransferStatus.FAILED : TransferStatus.UNREACHABLE);
    } finally {
      write.release();
    }
  }

  private static MemorySegment acquire(BlockWrite write) {
    try {
      return write.acquire();
    } catch (RuntimeException broken) { // Other blocks still have to move.
      LOG.error("A block could not be read", broken);
      write.complete(TransferStatus.FAILED);
      return null;
    }
  }

  private void put(BlockWrite write, String receiver, MemorySegment block) throws IOException {
    final Grant grant = write.grant();
    final long sequence = nextSequence++;
    final var header =
        new FileHeader(
            FileHeader.BLOCK,
            grant.agent().agent(),
            Checksums.crc32c(block),
            sequence,
            grant.id(),
            grant.keyHigh(),
            grant.keyLow(),
            write.targetBlock(),
            block.byteSize());
    final Path file = folder.put(receiver, header.encode(), block.asByteBuffer());
    pending.put(sequence, new Pending(write, receiver, file));
  }

  private void message(AgentAddress to, ByteBuffer bytes) {
    final int checksum = Checksums.crc32c(MemorySegment.ofBuffer(bytes));
    final var header =
        FileHeader.plain(FileHeader.MESSAGE, to.agent(), checksum, bytes.remaining());
    try {
      folder.put(to.endpoints().get(NAME), header.encode(), bytes);
    } catch (IOException gone) {
      LOG.debug("A message is lost: {}", gone.toString());
    }
  }

  private void answered(long sequence, int status) {
    final Pending posted = pending.remove(sequence);
    if (posted == null || status >= STATUSES.length) counters.count(TransferStatus.UNKNOWN_GRANT);
    else posted.write().complete(STATUSES[status]);
  }

  /** Drops what its writer has given up, and ends what nobody will answer. */
  private void forget() throws IOException {
    for (Iterator<Pending> each = pending.values().iterator(); each.hasNext(); ) {
      final Pending posted = each.next();
      final boolean isGone = !folder.has(posted.receiver());
      if (!isGone && !posted.write().hasEnded()) continue;
      each.remove();
      Files.deleteIfExists(posted.file());
      if (isGone) posted.write().complete(TransferStatus.UNREACHABLE);
    }
  }

  private void touch() throws IOException {
    final long nowNs = System.nanoTime();
    if (touchedNs != 0 && nowNs - touchedNs < settings.staleAfter().toNanos() / 10) return;
    touchedNs = nowNs;
    folder.touch();
  }

  @Override
  public void close() {
    closed = true;
    thread.interrupt();
    try {
      thread.join();
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
    for (Pending posted : pending.values()) posted.write().complete(TransferStatus.UNREACHABLE);
    for (Task task = tasks.poll(); task != null; task = tasks.poll()) {
      if (task instanceof Task.Write(var write)) write.complete(TransferStatus.UNREACHABLE);
    }
    folder.close();
  }
}
