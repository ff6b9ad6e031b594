package dev.stator.protocol;

/**
 * What does not change while a worker lives.
 *
 * @param fingerprint workers of equal fingerprints compute equal bits and share blocks
 * @param blockSize tokens in a block
 * @param blockBytes bytes of a block
 * @param totalBlocks blocks of its pool
 * @param contextLength the longest sequence it takes, in tokens
 */
public record WorkerDescription(
    WorkerId id,
    String fingerprint,
    int blockSize,
    long blockBytes,
    int totalBlocks,
    int contextLength) {}
