package dev.stator.http;

import org.apache.pekko.http.javadsl.model.HttpRequest;

/**
 * A request on its way to its answer.
 *
 * @param id for logs and the header {@code X-Request-Id}; the client's own if it sent one
 * @param endpoint the path's pattern, for metrics
 * @param startNanos when it arrived
 */
record Exchange(
    HttpRequest request,
    ClientConnection connection,
    String id,
    String endpoint,
    long startNanos) {}
