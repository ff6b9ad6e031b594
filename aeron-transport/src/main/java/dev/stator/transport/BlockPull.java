package dev.stator.transport;

/**
 * A whole block to be pulled out of another process's device.
 *
 * @param targetBlock one of the grant's
 * @param sourceBlock index in the other process's pool
 * @param blockBytes its length, as the writer said it
 */
public record BlockPull(
    long grantId, long keyHigh, long keyLow, int targetBlock, int sourceBlock, long blockBytes) {}
