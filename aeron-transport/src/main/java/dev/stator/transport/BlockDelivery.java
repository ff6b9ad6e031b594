package dev.stator.transport;

import java.lang.foreign.MemorySegment;

/**
 * A whole block that has come in.
 *
 * @param checksum CRC32C that its writer took
 * @param bytes to be copied, kept open by the caller during the call that brings them
 */
public record BlockDelivery(
    long grantId, long keyHigh, long keyLow, int targetBlock, int checksum, MemorySegment bytes) {}
