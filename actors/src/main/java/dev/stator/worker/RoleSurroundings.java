package dev.stator.worker;

import dev.stator.protocol.WorkerDescription;
import dev.stator.transport.TransferAgent;
import java.util.function.LongSupplier;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * What a worker's roles work with.
 *
 * @param engine the slot's
 * @param memoryId the slot's KV blocks at the agent
 */
record RoleSurroundings(
    WorkerDescription description,
    ActorRef<EngineActor.Command> engine,
    int memoryId,
    TransferAgent agent,
    WorkerGauge gauge,
    LongSupplier nanoClock,
    WorkerSettings settings) {}
