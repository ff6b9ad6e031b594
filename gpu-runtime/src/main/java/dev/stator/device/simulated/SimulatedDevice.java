package dev.stator.device.simulated;

import dev.stator.kv.KvLayout;

/**
 * A device whose logits are a hash of all tokens, as they are found in the KV blocks: wrong block
 * tables, stale blocks, missing copies and wrong prefix hits all change the answer.
 */
public final class SimulatedDevice extends TokenDevice {
  private static final float LOGIT_RANGE = 10;

  /**
   * @param blockCount KV blocks
   * @param blockSize tokens in a block
   */
  public SimulatedDevice(int blockCount, int blockSize, int vocabularySize, int contextLength) {
    this(smallestLayout(blockSize), blockCount, vocabularySize, contextLength);
  }

  /** With blocks of a model's shape: all their bytes count. */
  public SimulatedDevice(KvLayout layout, int blockCount, int vocabularySize, int contextLength) {
    super(layout, blockCount, vocabularySize, contextLength);
  }

  @Override
  public String description() {
    return "simulated: logits are a hash of the tokens";
  }

  @Override
  public String numericsFingerprint() {
    return "simulated-1/" + vocabularySize() + "/" + kvLayout();
  }

  @Override
  float[] logits(int[] blockTable, int length) {
    long hash = length;
    for (int position = 0; position < length; position++) {
      hash = mix(hash ^ read(blockTable, position));
    }
    final float[] logits = new float[vocabularySize()];
    for (int token = 0; token < logits.length; token++) {
      logits[token] = (mix(hash + token) >>> 40) * (LOGIT_RANGE / (1 << 24));
    }
    return logits;
  }

  /**
   * SplitMix64's finalizer: G. L. Steele, D. Lea, C. H. Flood, "Fast Splittable PRNGs", OOPSLA
   * 2014.
   */
  private static long mix(long value) {
    long z = value + 0x9E3779B97F4A7C15L;
    z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
    z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
    return z ^ z >>> 31;
  }
}
