package dev.stator.kv;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/**
 * How one KV block lies in memory: {@code blockSize} tokens of all layers, keys and values,
 * contiguous.
 *
 * <pre>
 *   block := layer 0 | layer 1 | ... | layer n-1
 *   layer := keys of head 0 | ... | keys of head h-1 | values of head 0 | ... | values of head h-1
 *   keys of a head   := headSize rows of blockSize values    (one row a dimension: 16 tokens lie side by side)
 *   values of a head := blockSize rows of headSize values    (one row a token)
 * </pre>
 *
 * <p>With scales, blockSize floats follow a head's keys, and a head's values: one a token.
 *
 * @param blockSize tokens in a block
 */
public record KvLayout(
    int layerCount, int keyValueHeadCount, int headSize, KvType type, int blockSize) {
  /** How a key or value is stored; how it is rounded stands in {@code gpu-runtime/NUMERICS.md}. */
  public enum KvType {
    /** As computed. */
    F32(4, 0),
    /** The upper half of a float. */
    BF16(2, 0),
    /** An integer, times a scale that a head's values of one token share. */
    INT8(1, 4);

    private final int bytes;
    private final int scaleBytes;

    KvType(int bytes, int scaleBytes) {
      this.bytes = bytes;
      this.scaleBytes = scaleBytes;
    }

    /** Of one value. */
    public int bytes() {
      return bytes;
    }

    /** As configuration, fingerprints and reports name it. */
    public String title() {
      return name().toLowerCase(Locale.ROOT);
    }

    /** The one with a title, if there is one. */
    public static Optional<KvType> titled(String title) {
      return Arrays.stream(values()).filter(type -> type.title().equals(title)).findFirst();
    }
  }

  public KvLayout {
    if (layerCount <= 0 || keyValueHeadCount <= 0 || headSize <= 0 || blockSize <= 0) {
      throw new IllegalArgumentException("all extents must be positive");
    }
  }

  /** Bytes of one head's keys (or values) of one layer within a block. */
  public long headBytes() {
    return scaleOffset() + (long) blockSize * type.scaleBytes;
  }

  /** Where scales begin, in bytes from the start of a head's keys, or of its values. */
  public long scaleOffset() {
    return (long) headSize * blockSize * type.bytes;
  }

  /** Bytes of one layer within a block. */
  public long layerBytes() {
    return 2L * keyValueHeadCount * headBytes();
  }

  public long blockBytes() {
    return layerCount * layerBytes();
  }

  /** Where the keys of a head begin, in bytes from the start of the block. */
  public long keyOffset(int layerIndex, int headIndex) {
    return layerIndex * layerBytes() + headIndex * headBytes();
  }

  /** Where the values of a head begin, in bytes from the start of the block. */
  public long valueOffset(int layerIndex, int headIndex) {
    return layerIndex * layerBytes() + (keyValueHeadCount + headIndex) * headBytes();
  }
}
