package dev.stator.cli.bench;

import java.util.Iterator;
import java.util.function.Consumer;

/**
 * Sends planned requests when they are due, at most {@code inFlightMax} at a time.
 *
 * <p>Closed and open loop are one rule: in a closed loop every request is due at once and {@code
 * inFlightMax} is the concurrency; in an open loop requests are due at their arrival and {@code
 * inFlightMax} only guards the machine. A request that had to wait keeps its arrival as its
 * intended time.
 *
 * <p><b>Threads:</b> all but {@link Endpoint#send}'s callback runs on the event loop.
 */
public final class LoadGenerator {
  private final Iterator<PlannedRequest> requests;
  private final int inFlightMax;
  private final boolean openLoop;
  private final Endpoint endpoint;
  private final EventLoop loop;
  private final Consumer<RequestResult> onResult;
  private final Runnable onEnd;
  private PlannedRequest next;
  private int inFlight;
  private boolean waiting;
  private boolean ended;

  /**
   * @param requests by ascending arrival; may be endless if {@code stopNs} ends it
   * @param onResult called once a request, in the order in which they end
   * @param onEnd called once, after the last result
   */
  public LoadGenerator(
      Iterator<PlannedRequest> requests,
      int inFlightMax,
      boolean openLoop,
      Endpoint endpoint,
      EventLoop loop,
      Consumer<RequestResult> onResult,
      Runnable onEnd) {
    this.requests = requests;
    this.inFlightMax = inFlightMax;
    this.openLoop = openLoop;
    this.endpoint = endpoint;
    this.loop = loop;
    this.onResult = onResult;
    this.onEnd = onEnd;
  }

  /** Begins; the run ends by itself when all requests have ended. */
  public void start() {
    loop.execute(this::sendDue);
  }

  /** Requests on their way. */
  public int inFlight() {
    return inFlight;
  }

  private void sendDue() {
    while (inFlight < inFlightMax && fetchNext()) {
      if (next.arrivalNs() > loop.nowNs()) {
        wakeAt(next.arrivalNs());
        return;
      }
      final PlannedRequest request = next;
      next = null;
      send(request);
    }
    if (inFlight == 0 && next == null && !ended) {
      ended = true;
      onEnd.run();
    }
  }

  private boolean fetchNext() {
    if (next == null && requests.hasNext()) next = requests.next();
    return next != null;
  }

  private void wakeAt(long ns) {
    if (waiting) return;
    waiting = true;
    loop.at(
        ns,
        () -> {
          waiting = false;
          sendDue();
        });
  }

  private void send(PlannedRequest request) {
    inFlight++;
    final long sentNs = loop.nowNs();
    final long intendedNs = openLoop ? request.arrivalNs() : sentNs;
    endpoint.send(
        request,
        response ->
            loop.execute(
                () -> ended(new RequestResult(request.index(), intendedNs, sentNs, response))));
  }

  private void ended(RequestResult result) {
    inFlight--;
    onResult.accept(result);
    sendDue();
  }
}
