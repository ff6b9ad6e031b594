package dev.stator.cli.bench;

/**
 * A request to come.
 *
 * @param arrivalNs when it is due, after the start; 0 in a closed loop, where it is due as soon as
 *     another has ended
 * @param outputTokens answer tokens asked for
 */
public record PlannedRequest(int index, long arrivalNs, String prompt, int outputTokens) {}
