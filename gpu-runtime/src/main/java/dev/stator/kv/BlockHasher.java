package dev.stator.kv;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;

/**
 * Names full blocks: {@code root = H(version, block size, fingerprint, salt)}, {@code hash =
 * H(parent, tokens)}, where {@code H} is SHA-256 cut to its first 128 bits.
 *
 * <pre>
 *   root(salt) ◀── hash 0 ◀── hash 1 ◀── ...      H(parent | token 0 | ... | token n-1)
 *                  tokens     tokens                16 bytes  4 bytes each, little-endian
 *                  0..n-1     n..2n-1
 * </pre>
 *
 * <p>Equal hashes mean equal bits in the blocks: the fingerprint says how they were computed, the
 * chain says from what. A prompt that is to hit another tenant's block needs a second preimage of a
 * 128-bit value behind a root it cannot choose (2<sup>128</sup> tries); two prompts of one tenant
 * that collide with each other cost that tenant 2<sup>64</sup> tries and harm nobody else.
 *
 * <p><b>Threads:</b> one at a time; it holds a digest and a buffer.
 */
public final class BlockHasher {
  private static final String VERSION = "stator-kv-1";
  private static final int HASH_BYTES = 16;
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

  private final String numericsFingerprint;
  private final int blockSize;
  private final MessageDigest sha256 = newSha256();
  private final byte[] input;
  private final byte[] output = new byte[32];

  /**
   * @param numericsFingerprint of the device that computes the blocks
   * @param blockSize tokens in a block
   */
  public BlockHasher(String numericsFingerprint, int blockSize) {
    if (blockSize <= 0) throw new IllegalArgumentException("block size must be positive");
    this.numericsFingerprint = numericsFingerprint;
    this.blockSize = blockSize;
    this.input = new byte[HASH_BYTES + Integer.BYTES * blockSize];
  }

  public int blockSize() {
    return blockSize;
  }

  /** The parent of a tenant's first blocks; no block has this name. */
  public BlockHash root(String cacheSalt) {
    updateWithLength(VERSION.getBytes(StandardCharsets.UTF_8));
    INT.set(input, 0, blockSize);
    sha256.update(input, 0, Integer.BYTES);
    updateWithLength(numericsFingerprint.getBytes(StandardCharsets.UTF_8));
    updateWithLength(cacheSalt.getBytes(StandardCharsets.UTF_8));
    return finish();
  }

  /**
   * The name of the block that holds {@code tokens[start .. start + blockSize)} behind {@code
   * parent}.
   */
  public BlockHash hash(BlockHash parent, int[] tokens, int start) {
    LONG.set(input, 0, parent.high());
    LONG.set(input, Long.BYTES, parent.low());
    for (int i = 0; i < blockSize; i++) {
      INT.set(input, HASH_BYTES + Integer.BYTES * i, tokens[start + i]);
    }
    sha256.update(input, 0, input.length);
    return finish();
  }

  /** The names of all full blocks of a sequence. */
  public List<BlockHash> hashAll(String cacheSalt, int[] tokens) {
    final int blockCount = tokens.length / blockSize;
    final List<BlockHash> hashes = new ArrayList<>(blockCount);
    BlockHash parent = root(cacheSalt);
    for (int i = 0; i < blockCount; i++) {
      parent = hash(parent, tokens, i * blockSize);
      hashes.add(parent);
    }
    return hashes;
  }

  private void updateWithLength(byte[] bytes) {
    INT.set(input, 0, bytes.length);
    sha256.update(input, 0, Integer.BYTES);
    sha256.update(bytes);
  }

  private BlockHash finish() {
    try {
      sha256.digest(output, 0, output.length);
    } catch (DigestException e) {
      throw new IllegalStateException(e); // Only for a buffer that is too small.
    }
    return new BlockHash((long) LONG.get(output, 0), (long) LONG.get(output, Long.BYTES));
  }

  private static MessageDigest newSha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // Every Java platform must have it.
    }
  }
}
