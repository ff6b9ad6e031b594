package dev.stator.device.cuda;

import java.util.List;
import java.util.function.Function;

/**
 * The sums of what all ranks of a model computed: parts go from rank to rank, and are added up in
 * the order of ranks. So all have the same bits, and nobody waits but streams.
 *
 * <pre>
 *   part 0 | part 1 | ... | part n-1      float32 [rows][hidden] each; one lot for even sums, one for odd
 *
 *   few rows:   each rank sends its part to all others, and adds all parts up
 *   many rows:  rank r has slice r of the rows: it gets that slice of all parts, adds them up in place of its own,
 *               and sends the sum to all others; n / 2 times fewer bytes, and one wait more
 * </pre>
 *
 * <p>A rank may write into the others' memory for a sum because they have sent theirs of the sum
 * before, and thus have done with the one before that, which lay in the same lot.
 *
 * <p><b>Threads:</b> the driver's. For each sum all ranks {@link #send}, then all {@link #reduce}
 * where {@link #isSliced}, then all {@link #sumTo}; each before any goes on to the next.
 */
final class RankSums {
  private static final int LOTS = 2;

  /** Shorter slices are not worth the wait. */
  private static final int SLICE_ROWS_MIN = 8;

  private final Driver driver;
  private final Kernels kernels;
  private final Driver.Stream stream;
  private final int rank;
  private final int degree;
  private final long rowBytes;
  private final int stride; // Floats of a part.
  private final long[] lots = new long[LOTS];
  private final Driver.Event[] sent = new Driver.Event[LOTS]; // Parts.
  private final Driver.Event[] reduced = new Driver.Event[LOTS]; // Slices of the sum.
  private List<RankSums> ranks;
  private int lot;
  private int rows;

  /**
   * @param kernels whose stream computes and copies
   * @param rowsMax of a sum
   */
  RankSums(Driver driver, Kernels kernels, DeviceMemory memory, Shard shard, int rowsMax) {
    this.driver = driver;
    this.kernels = kernels;
    stream = kernels.stream();
    rank = shard.rank();
    degree = shard.degree();
    rowBytes = (long) shard.config().hiddenSize() * Float.BYTES;
    stride = Math.multiplyExact(rowsMax, shard.config().hiddenSize());
    for (int i = 0; i < LOTS; i++) {
      lots[i] = memory.take("sums of ranks", (long) degree * stride * Float.BYTES);
      sent[i] = stream.newEvent();
      reduced[i] = stream.newEvent();
    }
  }

  /**
   * To be called once, when all are made.
   *
   * @param all in the order of ranks, this one among them
   * @return whether parts go straight from device to device
   */
  boolean connect(List<RankSums> all) {
    ranks = List.copyOf(all);
    boolean isStraight = true;
    for (RankSums other : ranks) isStraight &= driver.reach(other.driver);
    return isStraight;
  }

  /**
   * To be called when the streams of all ranks have come to their ends.
   *
   * @param newRows of each of the sums that follow
   */
  void restart(int newRows) {
    lot = 0;
    rows = newRows;
  }

  /** Where this rank's part of the next sum goes. */
  long part() {
    return at(this, rank, 0);
  }

  /** Where a row of a part lies in a rank's memory. */
  private long at(RankSums where, int part, int row) {
    return where.lots[lot] + (long) part * stride * Float.BYTES + row * rowBytes;
  }

  /** Whether there is something to {@link #reduce}; the same for all ranks. */
  boolean isSliced() {
    return degree > 2 && rows >= degree * SLICE_ROWS_MIN;
  }

  /** The first row of a rank's slice. */
  private int sliceStart(int ofRank) {
    return (int) ((long) rows * ofRank / degree);
  }

  private int sliceRows(int ofRank) {
    return sliceStart(ofRank + 1) - sliceStart(ofRank);
  }

  /** Gives {@link #part} to the others. */
  void send() {
    for (RankSums other : ranks) {
      if (other == this) continue;
      if (isSliced()) push(other, sliceStart(other.rank), sliceRows(other.rank));
      else push(other, 0, rows);
    }
    stream.record(sent[lot]);
  }

  /** Rows of this rank's part. */
  private void push(RankSums other, int from, int count) {
    stream.copyToPeer(other.driver, at(other, rank, from), at(this, rank, from), count * rowBytes);
  }

  /** Adds this rank's slice up and gives it to the others. */
  void reduce() {
    await(other -> other.sent[lot]);
    final int start = sliceStart(rank);
    final int count = sliceRows(rank);
    sumParts(at(this, rank, start), start, count, false);
    for (RankSums other : ranks) if (other != this) push(other, start, count);
    stream.record(reduced[lot]);
  }

  /** The sum goes to, or is added to, rows of {@code to}. */
  void sumTo(long to, boolean adds) {
    await(other -> isSliced() ? other.reduced[lot] : other.sent[lot]);
    if (isSliced()) joinSlices(to, adds);
    else sumParts(to, 0, rows, adds);
    lot = (lot + 1) % LOTS;
  }

  private void joinSlices(long to, boolean adds) {
    for (int i = 0; i < degree; i++) {
      final long target = to + sliceStart(i) * rowBytes;
      final long slice = at(this, i, sliceStart(i));
      final long bytes = sliceRows(i) * rowBytes;
      if (adds) kernels.add(target, slice, bytes / Float.BYTES);
      else stream.copy(target, slice, bytes);
    }
  }

  private void await(Function<RankSums, Driver.Event> event) {
    for (RankSums other : ranks) if (other != this) stream.await(event.apply(other));
  }

  private void sumParts(long to, int firstRow, int count, boolean adds) {
    final long values = count * rowBytes / Float.BYTES;
    kernels.sumParts(to, at(this, 0, firstRow), values, degree, stride, adds);
  }
}
