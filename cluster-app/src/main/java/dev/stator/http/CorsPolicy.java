package dev.stator.http;

import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.StatusCodes;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;

/** Which pages of other origins may read answers: none, unless configured. Any thread. */
final class CorsPolicy {
  private static final String ANY = "*";

  private final HttpSettings.Cors settings;

  CorsPolicy(HttpSettings.Cors settings) {
    this.settings = settings;
  }

  /** The answer to OPTIONS, a browser's preflight among them. */
  HttpResponse options(HttpRequest request, Routes.Route route) {
    HttpResponse response =
        HttpResponse.create()
            .withStatus(StatusCodes.NO_CONTENT)
            .addHeader(RawHeader.create("Allow", route.allowed()));
    if (!isAllowed(request)) return response;
    String headers = header(request, "Access-Control-Request-Headers", ANY);
    return response
        .addHeader(RawHeader.create("Access-Control-Allow-Methods", route.allowed()))
        .addHeader(RawHeader.create("Access-Control-Allow-Headers", headers))
        .addHeader(
            RawHeader.create(
                "Access-Control-Max-Age", Long.toString(settings.maxAge().toSeconds())));
  }

  /** The response, readable by the request's origin if that is allowed. */
  HttpResponse allow(HttpRequest request, HttpResponse response) {
    if (!isAllowed(request)) return response;
    boolean any = settings.allowedOrigins().contains(ANY);
    HttpResponse allowed =
        response
            .addHeader(
                RawHeader.create(
                    "Access-Control-Allow-Origin", any ? ANY : header(request, "Origin", "")))
            .addHeader(RawHeader.create("Access-Control-Expose-Headers", "X-Request-Id"));
    return any ? allowed : allowed.addHeader(RawHeader.create("Vary", "Origin"));
  }

  private boolean isAllowed(HttpRequest request) {
    if (!settings.enabled()) return false;
    String origin = header(request, "Origin", null);
    if (origin == null) return false;
    return settings.allowedOrigins().contains(ANY) || settings.allowedOrigins().contains(origin);
  }

  private static String header(HttpRequest request, String name, String whenAbsent) {
    return request.getHeader(name).map(HttpHeader::value).orElse(whenAbsent);
  }
}
