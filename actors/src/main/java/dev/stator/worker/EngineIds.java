package dev.stator.worker;

import dev.stator.engine.GenerationRequest;
import dev.stator.engine.RequestId;
import dev.stator.protocol.PrefillCommand;

/**
 * Names within one engine: a sequence may come again, and a worker may prefill for another what it
 * has itself decoded before, so request id, role and attempt together name one.
 */
final class EngineIds {
  private EngineIds() {}

  static RequestId decode(RequestId id, int attempt) {
    return new RequestId(id.value() + "@" + attempt);
  }

  /** A prompt may come again from the same decode worker, under another grant. */
  static RequestId prefill(PrefillCommand.Order order) {
    return new RequestId(order.id().value() + "@" + order.attempt() + "!" + order.grantId());
  }

  static GenerationRequest renamed(GenerationRequest request, RequestId id) {
    return new GenerationRequest(
        id,
        request.tokens(),
        request.promptLength(),
        request.sampling(),
        request.cacheSalt(),
        request.pooling());
  }
}
