package dev.stator.device.cuda;

import dev.stator.device.RotaryAngles;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Cosines and sines on the device, float32 [position][pair] each, computed as sequences grow.
 *
 * <p><b>Threads:</b> the driver's. <b>Ownership:</b> the memory is the {@link DeviceMemory}'s, the
 * staging the caller's.
 */
final class RotaryTable {
  /** Positions that are made ready at a time. */
  private static final int POSITIONS_STEP = 1024;

  private final RotaryAngles angles;
  private final int contextLength;
  private final Staging staging;
  private final long cosines;
  private final long sines;
  private int preparedLength;

  RotaryTable(RotaryAngles angles, int contextLength, DeviceMemory memory, Staging staging) {
    this.angles = angles;
    this.contextLength = contextLength;
    this.staging = staging;
    final long bytes = (long) contextLength * angles.pairs() * Float.BYTES;
    cosines = memory.take("rotation tables", bytes);
    sines = memory.take("rotation tables", bytes);
  }

  /** Makes positions below {@code length} ready for what is given to the stream from now on. */
  void prepare(int length) {
    while (preparedLength < length) {
      final int count = Math.min(POSITIONS_STEP, contextLength - preparedLength);
      final int pairs = angles.pairs();
      final float[] cosine = new float[count * pairs];
      final float[] sine = new float[count * pairs];
      for (int i = 0; i < count; i++) angles.compute(preparedLength + i, cosine, sine, i * pairs);
      send(cosine, cosines);
      send(sine, sines);
      preparedLength += count;
    }
  }

  private void send(float[] values, long table) {
    final int atOnce = (int) Math.min(values.length, staging.capacity() / Float.BYTES);
    for (int from = 0; from < values.length; from += atOnce) {
      final int count = Math.min(atOnce, values.length - from);
      MemorySegment.copy(values, from, staging.next(), ValueLayout.JAVA_FLOAT, 0, count);
      final long at = (long) preparedLength * angles.pairs() + from;
      staging.send(table + at * Float.BYTES, (long) count * Float.BYTES);
    }
  }

  /** float32 [position][pair]. */
  long cosines() {
    return cosines;
  }

  /** float32 [position][pair]. */
  long sines() {
    return sines;
  }

  /** Of a position. */
  int pairs() {
    return angles.pairs();
  }
}
