package dev.stator.cluster;

import dev.stator.engine.Engine;
import dev.stator.protocol.WorkerRole;
import java.util.Set;
import java.util.function.Supplier;

/**
 * A place for one engine, and what it is to do at first.
 *
 * @param name names the slot in logs and metrics; unique within the node
 * @param roles both for an aggregated worker
 * @param engine makes an engine and its device; called on the engine's own thread at start and
 *     after a failure. The worker closes the device.
 */
public record EngineSlot(String name, Set<WorkerRole> roles, Supplier<Engine> engine) {
  public EngineSlot {
    roles = Set.copyOf(roles);
    if (name.isEmpty()) throw new IllegalArgumentException("a slot needs a name");
    if (roles.isEmpty()) throw new IllegalArgumentException("slot " + name + " needs a role");
  }
}
