package dev.stator.worker;

import dev.stator.engine.RequestId;
import dev.stator.protocol.DecodeCommand;
import dev.stator.protocol.Placement;
import dev.stator.protocol.PrefillCommand;
import java.util.List;

/** A sequence that runs at a {@link DecodeWorker}, which draws its states. One thread. */
final class Decoding {
  enum State {
    ASKED,
    FILLING,
    RUNNING,
    CANCELLED
  }

  final DecodeCommand.Generate call;
  State state = State.ASKED;
  boolean remote;
  int tokensSent;

  // While others fill its blocks.
  List<Integer> missing = List.of();
  int firstMissing; // Its index in the sequence.
  int filled; // By those who have ended.
  int takeOvers;
  PrefillCommand.Prefill order; // The latest.
  Placement.Prefiller prefiller; // Who has it.
  boolean prefillerSpoke;
  int silentIntervals;

  Decoding(DecodeCommand.Generate call) {
    this.call = call;
    this.remote = call.prefill() != null;
    this.tokensSent = call.request().tokens().length - call.request().promptLength();
  }

  RequestId id() {
    return call.request().id();
  }

  RequestId engineId() {
    return EngineIds.decode(id(), call.attempt());
  }

  boolean waitsFor(PrefillCommand.Order other) {
    return state == State.FILLING && order.order().equals(other);
  }

  /** The next missing blocks have arrived. */
  void arrived(int blockCount) {
    filled += blockCount;
    firstMissing += blockCount;
    missing = missing.subList(blockCount, missing.size());
  }

  /** Who takes over; {@code null} for nobody. */
  Placement.Prefiller next() {
    final List<Placement.Prefiller> others = call.prefill().others();
    return takeOvers < others.size() ? others.get(takeOvers) : null;
  }
}
