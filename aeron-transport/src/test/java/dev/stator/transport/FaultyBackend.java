package dev.stator.transport;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.random.RandomGenerator;

/**
 * A network in memory that loses, delays, repeats, shortens and damages blocks, by a seed. With no
 * faults it is a correct backend. A block is copied when it leaves, and delivered on the thread of
 * a later {@link #offer} or {@link #flush}, so that it may arrive late and out of order.
 */
public final class FaultyBackend implements TransferBackend {
  /**
   * Probabilities of each fault.
   *
   * @param delayed waits for the next flush, or for {@value #DELAYED_MAX} others behind it
   */
  public record Faults(
      double dropped, double delayed, double repeated, double shortened, double damaged) {
    public static final Faults NONE = new Faults(0, 0, 0, 0, 0);
  }

  private static final int DELAYED_MAX = 16;

  private record Frame(BlockWrite write, int checksum, MemorySegment bytes) {}

  private final Map<String, BlockSink> sinks = new ConcurrentHashMap<>();
  private final Faults faults;
  private final RandomGenerator random;
  private final Queue<Frame> delayed = new ArrayDeque<>();
  private int faultCount;

  public FaultyBackend(Faults faults, RandomGenerator random) {
    this.faults = faults;
    this.random = random;
  }

  @Override
  public String name() {
    return "faulty";
  }

  @Override
  public void attach(String agent, BlockSink sink) {
    if (sinks.putIfAbsent(agent, sink) != null) {
      throw new IllegalStateException("agent " + agent + " is attached already");
    }
  }

  @Override
  public void detach(String agent) {
    sinks.remove(agent);
  }

  @Override
  public boolean offer(BlockWrite write) {
    final Frame frame = frame(write);
    if (frame != null) arrivals(frame).forEach(this::deliver);
    return true;
  }

  /** Delivers what was delayed; returns how many blocks. */
  public int flush() {
    final List<Frame> frames;
    synchronized (this) {
      frames = new ArrayList<>(delayed);
      delayed.clear();
    }
    frames.forEach(this::deliver);
    return frames.size();
  }

  /** How often a fault has struck. */
  public synchronized int faultCount() {
    return faultCount;
  }

  private static Frame frame(BlockWrite write) {
    final MemorySegment source = write.acquire();
    if (source == null) return null;
    try {
      final MemorySegment copy = Arena.ofAuto().allocate(source.byteSize());
      return new Frame(write, Checksums.crc32c(source), copy.copyFrom(source));
    } finally {
      write.release();
    }
  }

  private synchronized List<Frame> arrivals(Frame frame) {
    if (strikes(faults.dropped())) return List.of();
    Frame arriving = frame;
    if (strikes(faults.damaged())) damage(frame.bytes());
    if (strikes(faults.shortened())) {
      final long length = random.nextLong(frame.bytes().byteSize());
      arriving = new Frame(frame.write(), frame.checksum(), frame.bytes().asSlice(0, length));
    }
    final List<Frame> arrivals = new ArrayList<>();
    if (strikes(faults.delayed())) delayed.add(arriving);
    else arrivals.add(arriving);
    if (strikes(faults.repeated())) arrivals.add(arriving);
    if (delayed.size() > DELAYED_MAX) arrivals.add(delayed.remove());
    return arrivals;
  }

  private boolean strikes(double probability) {
    if (random.nextDouble() >= probability) return false;
    faultCount++;
    return true;
  }

  private void damage(MemorySegment bytes) {
    final long at = random.nextLong(bytes.byteSize());
    final byte old = bytes.get(ValueLayout.JAVA_BYTE, at);
    bytes.set(ValueLayout.JAVA_BYTE, at, (byte) (old ^ 1 << random.nextInt(8)));
  }

  private void deliver(Frame frame) {
    final Grant grant = frame.write().grant();
    final BlockSink sink = sinks.get(grant.agent());
    if (sink == null) {
      frame.write().complete(TransferStatus.UNREACHABLE);
      return;
    }
    frame
        .write()
        .complete(
            sink.deliver(
                grant.id(),
                grant.keyHigh(),
                grant.keyLow(),
                frame.write().targetBlock(),
                frame.checksum(),
                frame.bytes()));
  }

  @Override
  public void close() {
    sinks.clear();
  }
}
