/**
 * A small client of OpenAI-compatible servers: what {@code chat}, {@code run} and {@code bench}
 * speak through. In: request bodies; out: chunks of a stream, or whole answers.
 */
package dev.stator.cli.client;
