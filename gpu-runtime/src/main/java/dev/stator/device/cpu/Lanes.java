package dev.stator.device.cpu;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * The vector width of this machine: 16, 8 or 4 float lanes. It decides speed and no bit of any
 * result.
 *
 * <p>Kernels keep everything of a hot loop in one method: C2 stops inlining helpers that take or
 * return vectors, and then boxes them.
 */
final class Lanes {
  /** Float lanes of the widest vectors; 2 where there is no vector unit. */
  static final int PREFERRED = FloatVector.SPECIES_PREFERRED.length();

  static final VectorSpecies<Float> FLOATS =
      PREFERRED >= 16
          ? FloatVector.SPECIES_512
          : PREFERRED >= 8 ? FloatVector.SPECIES_256 : FloatVector.SPECIES_128;

  /** Lanes of a vector. */
  static final int COUNT = FLOATS.length();

  static final VectorSpecies<Integer> INTS =
      VectorSpecies.of(int.class, VectorShape.forBitSize(32 * COUNT));

  /** As many shorts as float lanes. */
  static final VectorSpecies<Short> SHORTS =
      COUNT == 16
          ? ShortVector.SPECIES_256
          : COUNT == 8 ? ShortVector.SPECIES_128 : ShortVector.SPECIES_64;

  /** As many bytes as float lanes; with 4 lanes twice as many, of which the first half counts. */
  static final VectorSpecies<Byte> BYTES =
      COUNT == 16 ? ByteVector.SPECIES_128 : ByteVector.SPECIES_64;

  /** Vectors that make up the 16 rows of a panel. */
  static final int PER_PANEL = 16 / COUNT;

  private Lanes() {}
}
