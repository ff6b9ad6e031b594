package dev.stator.cluster;

import com.typesafe.config.Config;
import dev.stator.cache.CacheSettings;
import dev.stator.planner.PlannerSettings;
import dev.stator.request.SessionSettings;
import dev.stator.router.RouterSettings;
import dev.stator.transport.TransferSettings;
import dev.stator.worker.WorkerSettings;
import java.time.Duration;

/**
 * All settings of a node's actors; read and checked once, at start.
 *
 * @param restartDelayMin pause before a failed slot is started again; doubles with each failure
 * @param restartDelayMax longest pause
 */
record NodeSettings(
    Duration restartDelayMin,
    Duration restartDelayMax,
    RouterSettings router,
    SessionSettings session,
    WorkerSettings worker,
    CacheSettings cache,
    PlannerSettings planner,
    TransferSettings transport) {
  NodeSettings {
    if (!restartDelayMin.isPositive() || restartDelayMax.compareTo(restartDelayMin) < 0) {
      throw new IllegalArgumentException(
          "stator.node.restart-delay-min must be positive and at most restart-delay-max: "
              + restartDelayMin
              + ", "
              + restartDelayMax);
    }
    if (session.placePatience().compareTo(router.pendingTimeout()) <= 0) {
      throw new IllegalArgumentException(
          "stator.session.place-patience must be longer than stator.router.pending-timeout: "
              + session.placePatience()
              + ", "
              + router.pendingTimeout());
    }
    if (session.checkInterval().compareTo(worker.reconcileInterval()) < 0) {
      throw new IllegalArgumentException(
          "stator.session.check-interval must not be shorter than"
              + " stator.worker.reconcile-interval: "
              + session.checkInterval()
              + ", "
              + worker.reconcileInterval());
    }
    if (transport.writeTimeout().compareTo(worker.remotePrefillTimeout()) >= 0) {
      throw new IllegalArgumentException(
          "stator.transport.write-timeout must be shorter than"
              + " stator.worker.remote-prefill-timeout: "
              + transport.writeTimeout()
              + ", "
              + worker.remotePrefillTimeout());
    }
  }

  /**
   * @param root the whole configuration
   */
  static NodeSettings from(Config root) {
    final Config stator = root.getConfig("stator");
    return new NodeSettings(
        stator.getDuration("node.restart-delay-min"),
        stator.getDuration("node.restart-delay-max"),
        RouterSettings.from(stator.getConfig("router")),
        SessionSettings.from(stator.getConfig("session")),
        WorkerSettings.from(stator.getConfig("worker")),
        CacheSettings.from(stator.getConfig("cache")),
        PlannerSettings.from(stator.getConfig("planner")),
        TransferSettings.from(stator.getConfig("transport")));
  }

  /** The pause before a slot is started for the {@code failures + 1}th time. */
  Duration restartDelay(int failures) {
    final Duration delay = restartDelayMin.multipliedBy(1L << Math.min(failures - 1, 20));
    return delay.compareTo(restartDelayMax) < 0 ? delay : restartDelayMax;
  }
}
