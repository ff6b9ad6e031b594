package dev.stator.cli.bench;

import dev.stator.cli.client.EndpointException;
import dev.stator.cli.client.Usage;

/**
 * What came back for one request, with times on the event loop's clock.
 *
 * @param chunkNs when each part of the answer came, ascending; owned by this record
 * @param endNs when the answer was complete, or failed
 * @param usage {@code null} when the server does not count or the request failed
 * @param failure {@code null} when the answer is complete
 */
public record Response(long[] chunkNs, long endNs, Usage usage, EndpointException failure) {}
