package dev.stator.protocol;

import dev.stator.engine.RequestId;
import java.util.List;

/**
 * A router asks a session node which of these still run. The node answers {@link
 * RouterCommand.Ended} for those that do not, and {@link RouterCommand.PrefillFinished} for those
 * that have tokens: words that may have been lost before.
 */
public record BookingCheck(List<Booked> bookings) implements ClusterMessage {
  public BookingCheck {
    bookings = List.copyOf(bookings);
  }

  /** A sequence that a router counts. */
  public record Booked(RequestId id, int attempt) {}
}
