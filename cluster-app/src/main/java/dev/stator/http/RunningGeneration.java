package dev.stator.http;

import dev.stator.metrics.RequestMeter;
import org.apache.pekko.stream.UniqueKillSwitch;

/**
 * A generation's ties to its client, its meter and its place in the gate; however it ends, {@link
 * #end} cuts them. Any thread.
 */
final class RunningGeneration {
  /** What the generation's stream sees when its client has gone. */
  static final class ClientGoneException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ClientGoneException() {
      super("the client has gone", null, false, false);
    }
  }

  private final ClientConnection connection;
  private final RequestMeter meter;
  private final RequestGate.Permit permit;
  private final UniqueKillSwitch generation;
  private final Runnable clientGone = this::clientGone;
  private volatile boolean isClientGone;

  RunningGeneration(
      ClientConnection connection,
      RequestMeter meter,
      RequestGate.Permit permit,
      UniqueKillSwitch generation) {
    this.connection = connection;
    this.meter = meter;
    this.permit = permit;
    this.generation = generation;
  }

  /** From here on, the generation is cancelled when the client goes away. */
  RunningGeneration watchClient() {
    connection.onGone(clientGone);
    return this;
  }

  /** Whether the client went away before the generation's end. */
  boolean isClientGone() {
    return isClientGone;
  }

  private void clientGone() {
    isClientGone = true;
    cancel();
  }

  /** Cancels the generation, unless it has ended, and cuts its ties. */
  void cancel() {
    generation.abort(new ClientGoneException());
    end();
  }

  /** The generation has ended. */
  void end() {
    connection.forget(clientGone);
    meter.close();
    permit.close();
  }
}
