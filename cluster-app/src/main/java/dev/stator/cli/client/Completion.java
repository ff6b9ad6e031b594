package dev.stator.cli.client;

/**
 * How a stream ended.
 *
 * @param finishReason as the server gives it; empty when it gives none
 * @param usage {@code null} when the server does not count
 */
public record Completion(String finishReason, Usage usage) {}
