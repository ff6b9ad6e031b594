package dev.stator.http;

import java.time.Duration;
import java.util.List;
import org.apache.pekko.NotUsed;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.MediaTypes;
import org.apache.pekko.http.javadsl.model.StatusCode;
import org.apache.pekko.http.javadsl.model.StatusCodes;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/** The forms of an HTTP response here. */
final class Responses {
  /** What nginx writes to its log for a client that has gone; nobody reads such a response. */
  static final int CLIENT_GONE = 499;

  private static final StatusCode CLIENT_GONE_CODE =
      StatusCodes.custom(CLIENT_GONE, "Client Closed Request", "", false, true);

  /** Proxies neither store, transform nor buffer a stream. */
  private static final List<HttpHeader> STREAM_HEADERS =
      List.of(
          RawHeader.create("Cache-Control", "no-cache, no-transform"),
          RawHeader.create("X-Accel-Buffering", "no"));

  private Responses() {}

  static HttpResponse json(ByteString body) {
    return HttpResponse.create()
        .withEntity(HttpEntities.create(ContentTypes.APPLICATION_JSON, body));
  }

  static HttpResponse json(JsonBodies.Body body) {
    return json(JsonBodies.write(body));
  }

  static HttpResponse json(int status, JsonBodies.Body body) {
    return json(body).withStatus(status(status));
  }

  /** A stream of server-sent events, one chunk for each element. */
  static HttpResponse events(Source<ByteString, NotUsed> events) {
    return HttpResponse.create()
        .addHeaders(STREAM_HEADERS)
        .withEntity(
            HttpEntities.createChunked(MediaTypes.TEXT_EVENT_STREAM.toContentType(), events));
  }

  static HttpResponse error(ApiError error) {
    HttpResponse response = json(error.status(), error::write);
    return error.retryAfter().map(time -> retryAfter(response, time)).orElse(response);
  }

  /** The response with a Retry-After header: whole seconds, at least one. */
  static HttpResponse retryAfter(HttpResponse response, Duration time) {
    long seconds = Math.max(1, time.plusMillis(999).toSeconds());
    return response.addHeader(RawHeader.create("Retry-After", Long.toString(seconds)));
  }

  private static StatusCode status(int code) {
    return code == CLIENT_GONE ? CLIENT_GONE_CODE : StatusCodes.get(code);
  }
}
