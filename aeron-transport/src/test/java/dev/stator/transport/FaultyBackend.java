package dev.stator.transport;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.random.RandomGenerator;

/**
 * Another backend over a network that loses, delays, repeats, shortens and damages blocks and
 * messages, by a seed. With no faults it is that backend. A block may be lost or delayed before it
 * leaves, or arrive late, long after its writer has given up, and out of order.
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

  private final TransferBackend inner;
  private final Faults faults;
  private final RandomGenerator random;
  private final Queue<Runnable> delayed = new ArrayDeque<>();
  private int faultCount;

  /** In memory; blocks move on the caller's thread. */
  public FaultyBackend(Faults faults, RandomGenerator random) {
    this(new InProcessBackend(Runnable::run), faults, random);
  }

  /**
   * @param inner closed with this
   */
  public FaultyBackend(TransferBackend inner, Faults faults, RandomGenerator random) {
    this.inner = inner;
    this.faults = faults;
    this.random = random;
  }

  @Override
  public String name() {
    return inner.name();
  }

  @Override
  public Map<String, String> attach(String agent, BlockSink sink) {
    return inner.attach(agent, new FaultySink(sink));
  }

  @Override
  public void detach(String agent) {
    inner.detach(agent);
  }

  @Override
  public boolean reaches(AgentAddress to) {
    return inner.reaches(to);
  }

  @Override
  public boolean offer(BlockWrite write) {
    if (strikes(faults.dropped())) return true;
    if (!strikes(faults.delayed() / 2)) return inner.offer(write);
    delay(() -> {
      if (!inner.offer(write)) write.complete(TransferStatus.BACK_PRESSURED);
    });
    return true;
  }

  @Override
  public boolean send(AgentAddress to, MemorySegment message) {
    if (strikes(faults.dropped())) return true;
    final MemorySegment copy = copyOf(message, 0, message.byteSize());
    if (strikes(faults.damaged())) damage(copy);
    if (!strikes(faults.delayed())) return inner.send(to, copy);
    delay(() -> inner.send(to, copy));
    return true;
  }

  /** Delivers what was delayed; returns how much. */
  public int flush() {
    final List<Runnable> late;
    synchronized (this) {
      late = new ArrayList<>(delayed);
      delayed.clear();
    }
    late.forEach(Runnable::run);
    return late.size();
  }

  /** How often a fault has struck. */
  public synchronized int faultCount() {
    return faultCount;
  }

  @Override
  public void close() {
    inner.close();
  }

  private void delay(Runnable action) {
    final Runnable due;
    synchronized (this) {
      delayed.add(action);
      due = delayed.size() > DELAYED_MAX ? delayed.remove() : null;
    }
    if (due != null) due.run();
  }

  private synchronized boolean strikes(double probability) {
    if (probability <= 0 || random.nextDouble() >= probability) return false;
    faultCount++;
    return true;
  }

  private synchronized long at(long bound) {
    return random.nextLong(bound);
  }

  private MemorySegment damage(MemorySegment bytes) {
    final long at = at(bytes.byteSize());
    final byte old = bytes.get(ValueLayout.JAVA_BYTE, at);
    bytes.set(ValueLayout.JAVA_BYTE, at, (byte) (old ^ 1 << at(8)));
    return bytes;
  }

  private static MemorySegment copyOf(MemorySegment bytes, long offset, long length) {
    return MemorySegment.ofArray(bytes.asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE));
  }

  /** Does to what arrives what a network would have done on the way. */
  private final class FaultySink implements BlockSink {
    private final BlockSink sink;

    FaultySink(BlockSink sink) {
      this.sink = sink;
    }

    @Override
    public BlockLanding begin(
        long grantId, long keyHigh, long keyLow, int targetBlock, long blockBytes) {
      return new FaultyLanding(sink.begin(grantId, keyHigh, keyLow, targetBlock, blockBytes));
    }

    @Override
    public List<TransferStatus> deliverAll(List<BlockDelivery> deliveries) {
      return deliveries.stream().map(this::deliver).toList();
    }

    @Override
    public TransferStatus deliver(BlockDelivery delivery) {
      final MemorySegment arriving = arriving(delivery.bytes());
      final BlockDelivery late = with(delivery, copyOf(arriving, 0, arriving.byteSize()));
      if (strikes(faults.repeated())) delay(() -> sink.deliver(late));
      if (strikes(faults.delayed() / 2)) {
        delay(() -> sink.deliver(late));
        return TransferStatus.TIMED_OUT;
      }
      return sink.deliver(with(delivery, arriving));
    }

    private static BlockDelivery with(BlockDelivery delivery, MemorySegment bytes) {
      return new BlockDelivery(
          delivery.grantId(),
          delivery.keyHigh(),
          delivery.keyLow(),
          delivery.targetBlock(),
          delivery.checksum(),
          bytes);
    }

    @Override
    public void receive(MemorySegment message) {
      sink.receive(message);
      if (strikes(faults.repeated())) sink.receive(message);
    }
  }

  private MemorySegment arriving(MemorySegment bytes) {
    MemorySegment arriving = bytes;
    if (strikes(faults.damaged())) arriving = damage(copyOf(bytes, 0, bytes.byteSize()));
    if (strikes(faults.shortened())) arriving = copyOf(arriving, 0, at(bytes.byteSize()));
    return arriving;
  }

  /** Damages, shortens and repeats pieces. */
  private final class FaultyLanding implements BlockLanding {
    private final BlockLanding landing;

    FaultyLanding(BlockLanding landing) {
      this.landing = landing;
    }

    @Override
    public TransferStatus ended() {
      return landing.ended();
    }

    @Override
    public boolean put(long offset, MemorySegment bytes) {
      final MemorySegment arriving = arriving(bytes);
      if (strikes(faults.repeated())) landing.put(offset, arriving);
      return landing.put(offset, arriving);
    }

    @Override
    public TransferStatus finish(int checksum) {
      return landing.finish(checksum);
    }

    @Override
    public void abandon() {
      landing.abandon();
    }
  }
}
