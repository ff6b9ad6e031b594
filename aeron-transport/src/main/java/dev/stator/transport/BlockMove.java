package dev.stator.transport;

/**
 * One block's way.
 *
 * @param sourceBlock index in the writer's registered memory
 * @param targetBlock index at the granting side; one of the grant's blocks
 */
public record BlockMove(int sourceBlock, int targetBlock) {}
