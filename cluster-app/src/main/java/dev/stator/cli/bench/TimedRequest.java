package dev.stator.cli.bench;

/**
 * A request of a schedule.
 *
 * @param arrivalNs when it is due, after the start
 * @param inputTokens of the prompt, template included
 * @param outputTokens of the answer
 */
public record TimedRequest(long arrivalNs, int inputTokens, int outputTokens) {}
