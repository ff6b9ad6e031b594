package dev.stator.worker;

import java.util.HashMap;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;

/** Watches actors as long as somebody has an interest in them. One actor's own. */
public final class Watched {
  private final ActorContext<?> context;
  private final Map<ActorRef<?>, Integer> interests = new HashMap<>();

  public Watched(ActorContext<?> context) {
    this.context = context;
  }

  public void add(ActorRef<?> ref) {
    if (interests.merge(ref, 1, Integer::sum) == 1) context.watch(ref);
  }

  public void remove(ActorRef<?> ref) {
    if (!interests.containsKey(ref)) return; // It is gone.
    if (interests.merge(ref, -1, Integer::sum) > 0) return;
    interests.remove(ref);
    context.unwatch(ref);
  }

  /** It has terminated. */
  public void gone(ActorRef<?> ref) {
    interests.remove(ref);
  }
}
