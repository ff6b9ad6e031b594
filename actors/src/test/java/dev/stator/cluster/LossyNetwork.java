package dev.stator.cluster;

import dev.stator.protocol.CacheCommand;
import dev.stator.protocol.DecodeCommand;
import dev.stator.protocol.KvBatch;
import dev.stator.protocol.Place;
import dev.stator.protocol.PrefillCommand;
import dev.stator.protocol.WorkerAnswer;
import dev.stator.protocol.WorkerCommand;
import dev.stator.protocol.WorkerReport;
import dev.stator.protocol.WorkerUp;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * Lies between actors of one system as a network does between nodes: messages get lost, come twice
 * or late. Actor references in messages are replaced by such that lead through the network, too;
 * the end of an actor is always told. <b>Threads:</b> any.
 */
final class LossyNetwork {
  /** Probabilities of each fault; what is late is so by at most {@code delayMax}. */
  record Faults(double lost, double repeated, double late, Duration delayMax) {}

  private final ActorSystem<?> system;
  private final Faults faults;
  private final Random random; // Guarded by itself.
  private final Map<ActorRef<?>, ActorRef<?>> ways = new ConcurrentHashMap<>();
  private final Set<ActorRef<?>> proxies = ConcurrentHashMap.newKeySet();
  private final AtomicInteger faultCount = new AtomicInteger();
  private final AtomicInteger wayCount = new AtomicInteger();
  private volatile boolean quiet;

  LossyNetwork(ActorSystem<?> system, Faults faults, Random random) {
    this.system = system;
    this.faults = faults;
    this.random = random;
  }

  /** From now on nothing gets lost. */
  void quiet() {
    quiet = true;
  }

  int faultCount() {
    return faultCount.get();
  }

  /** The way to an actor; ends with it. */
  @SuppressWarnings("unchecked") // A way takes what its actor takes.
  <T> ActorRef<T> to(ActorRef<T> target) {
    if (target == null || proxies.contains(target)) return target;
    return (ActorRef<T>)
        ways.computeIfAbsent(
            target,
            key -> {
              final ActorRef<Object> way = spawn(way(target.<Object>unsafeUpcast()));
              proxies.add(way);
              return way;
            });
  }

  /** At once, for actors call this: were they to wait for another, all threads might wait. */
  private ActorRef<Object> spawn(Behavior<Object> behavior) {
    return system.systemActorOf(behavior, "way-" + wayCount.incrementAndGet(), Props.empty());
  }

  private Behavior<Object> way(ActorRef<Object> target) {
    return Behaviors.setup(context -> {
      context.watch(target);
      return Behaviors.receive(Object.class)
          .onMessage(
              Object.class,
              message -> {
                carry(context, target, rewritten(message));
                return Behaviors.same();
              })
          .onSignal(
              Terminated.class,
              signal -> {
                ways.remove(target);
                return Behaviors.stopped();
              })
          .build();
    });
  }

  private void carry(ActorContext<Object> context, ActorRef<Object> target, Object message) {
    if (!strikes(faults.lost())) deliver(context, target, message);
    if (strikes(faults.repeated())) deliver(context, target, message);
  }

  private void deliver(ActorContext<Object> context, ActorRef<Object> target, Object message) {
    if (strikes(faults.late())) context.scheduleOnce(delay(), target, message);
    else target.tell(message);
  }

  private boolean strikes(double probability) {
    if (quiet) return false;
    synchronized (random) {
      if (random.nextDouble() >= probability) return false;
    }
    faultCount.incrementAndGet();
    return true;
  }

  private Duration delay() {
    synchronized (random) {
      return Duration.ofNanos(random.nextLong(faults.delayMax().toNanos()) + 1);
    }
  }

  private Object rewritten(Object message) {
    return switch (message) {
      case Place place ->
          new Place(
              place.id(),
              place.attempt(),
              place.tokens(),
              place.maxNewTokens(),
              place.cacheSalt(),
              place.numerics(),
              place.avoid(),
              to(place.replyTo()),
              to(place.sessions()));
      case WorkerUp up ->
          new WorkerUp(
              up.description(),
              up.roles(),
              up.load(),
              to(up.worker()),
              to(up.decode()),
              to(up.prefill()),
              to(up.lender()));
      case WorkerReport report ->
          new WorkerReport(
              report.id(), report.roles(), report.load(), report.rates(), to(report.worker()));
      case KvBatch batch ->
          new KvBatch(
              batch.id(), batch.firstSequence(), batch.tier(), batch.events(), to(batch.worker()));
      case WorkerCommand.DumpKv dump -> new WorkerCommand.DumpKv(to(dump.replyTo()));
      case WorkerCommand.Introduce introduce ->
          new WorkerCommand.Introduce(to(introduce.replyTo()));
      case DecodeCommand.Generate generate ->
          new DecodeCommand.Generate(
              generate.attempt(), generate.request(), generate.prefill(), to(generate.replyTo()));
      case DecodeCommand.Prefilling prefilling ->
          new DecodeCommand.Prefilling(prefilling.orders(), to(prefilling.prefill()));
      case PrefillCommand.Prefill prefill ->
          new PrefillCommand.Prefill(
              prefill.attempt(),
              prefill.request(),
              prefill.firstBlockIndex(),
              prefill.cachedOnly(),
              prefill.grant(),
              to(prefill.replyTo()));
      case WorkerAnswer.Running running ->
          new WorkerAnswer.Running(running.worker(), to(running.decode()), running.sequences());
      case CacheCommand.Locate locate ->
          new CacheCommand.Locate(locate.blocks(), to(locate.replyTo()));
      default -> message;
    };
  }
}
