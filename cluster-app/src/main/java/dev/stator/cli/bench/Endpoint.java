package dev.stator.cli.bench;

import java.util.function.Consumer;

/** What requests are sent to. */
public interface Endpoint {
  /** Sends a request and returns at once; {@code onEnd} is called once, on any thread. */
  void send(PlannedRequest request, Consumer<Response> onEnd);
}
