package dev.stator.cluster;

import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.remote.RARP;
import org.apache.pekko.remote.RARP$;

/**
 * Cuts and mends what lies between two actor systems; they run with Pekko's {@code test-mode}. By
 * reflection: Pekko's own tests are in Scala.
 */
final class Cable {
  private static final String THROTTLER =
      "org.apache.pekko.remote.transport.ThrottlerTransportAdapter$";

  private Cable() {}

  /** Everything from one to the other vanishes. */
  static void cut(ActorSystem<?> from, ActorSystem<?> to) {
    set(from, to, "Blackhole$");
  }

  static void mend(ActorSystem<?> from, ActorSystem<?> to) {
    set(from, to, "Unthrottled$");
  }

  private static void set(ActorSystem<?> from, ActorSystem<?> to, String mode) {
    try {
      final Object command =
          Class.forName(THROTTLER + "SetThrottle")
              .getConstructors()[0]
              .newInstance(
                  Cluster.get(to).selfMember().address(),
                  singleton("Direction$Both$"),
                  singleton(mode));
      ((RARP) RARP$.MODULE$.get(from.classicSystem()))
          .provider()
          .transport()
          .managementCommand(command);
    } catch (ReflectiveOperationException changed) {
      throw new AssertionError(changed);
    }
  }

  private static Object singleton(String name) throws ReflectiveOperationException {
    return Class.forName(THROTTLER + name).getField("MODULE$").get(null);
  }
}
