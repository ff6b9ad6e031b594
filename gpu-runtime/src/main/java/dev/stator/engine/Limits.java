package dev.stator.engine;

import dev.stator.device.Device;
import dev.stator.engine.Admission.Refused;
import dev.stator.engine.Sequence.Kind;
import java.util.Map;

/** What is refused at the door, by which limit. Limits that never pass come first. */
final class Limits {
  private final EngineSettings settings;
  private final int vocabularySize;
  private final int contextLength;
  private final int blockCount;
  private final int blockSize;
  private final int embeddingSize;

  Limits(EngineSettings settings, Device device) {
    this.settings = settings;
    this.vocabularySize = device.vocabularySize();
    this.contextLength = device.contextLength();
    this.blockCount = device.blockCount();
    this.blockSize = device.kvLayout().blockSize();
    this.embeddingSize = device.embeddingSize();
  }

  /** The length at which a sequence ends at the latest: its token limit or the context's end. */
  int lengthMax(GenerationRequest request) {
    final long wanted = (long) request.promptLength() + request.sampling().maxTokens();
    return (int) Math.min(contextLength, wanted);
  }

  /** Which limit stands in the way of a new sequence; {@code null} when none does. */
  Refused refusal(
      GenerationRequest request,
      Kind kind,
      Map<RequestId, Sequence> sequences,
      Scheduler scheduler) {
    final Refused never = neverFits(request, kind);
    if (never != null) return never;
    if (sequences.containsKey(request.id())) {
      return new Refused("engine.sequences-per-id", 2, 1, true);
    }
    final int waiting = scheduler.waitingCount() + scheduler.prefilledCount() + 1;
    if (hasBegun(request, kind)) return refusalOfBegun(waiting);
    if (waiting > settings.waitingMax()) {
      return new Refused("engine.waiting-max", waiting, settings.waitingMax(), true);
    }
    final long queued = scheduler.queuedTokens();
    final long tokens = queued + request.tokens().length;
    if (queued > 0 && tokens > settings.waitingTokensMax()) {
      return new Refused("engine.waiting-tokens-max", tokens, settings.waitingTokensMax(), true);
    }
    return null;
  }

  /** Whether its client has a part of the answer. */
  static boolean hasBegun(GenerationRequest request, Kind kind) {
    return kind == Kind.ANSWER && request.tokens().length > request.promptLength();
  }

  private Refused refusalOfBegun(int waiting) {
    final int beyond = waiting - settings.waitingMax();
    if (beyond <= settings.waitingBegunMax()) return null;
    return new Refused("engine.waiting-begun-max", beyond, settings.waitingBegunMax(), true);
  }

  private Refused neverFits(GenerationRequest request, Kind kind) {
    final int length = request.tokens().length;
    if (length + 1L > contextLength) { // Room for one token at least.
      return new Refused("device.context-length", length + 1L, contextLength, false);
    }
    if (request.pooling() != null && embeddingSize == 0) {
      return new Refused("device.embedding-size", 1, 0, false);
    }
    final int unknown = unknownToken(request);
    if (unknown != 0) {
      return new Refused("device.vocabulary-size", unknown, vocabularySize, false);
    }
    final int answerMax = request.sampling().maxTokens();
    final long answerLength = length - request.promptLength() + 1L;
    if (kind == Kind.ANSWER && answerLength > answerMax) {
      return new Refused("request.max-tokens", answerLength, answerMax, false);
    }
    final int tokensMax = kind == Kind.ANSWER ? lengthMax(request) - 1 : length - 1;
    final int blocks =
        kind == Kind.ANSWER ? Math.ceilDiv(tokensMax, blockSize) : tokensMax / blockSize;
    if (blocks > blockCount) return new Refused("device.block-count", blocks, blockCount, false);
    if (blocks > settings.requestBlocksMax()) {
      return new Refused("engine.request-blocks-max", blocks, settings.requestBlocksMax(), false);
    }
    return null;
  }

  /** A token id outside the vocabulary; 0, which always is in it, when there is none. */
  private int unknownToken(GenerationRequest request) {
    for (int token : request.tokens()) {
      if (token < 0 || token >= vocabularySize) return token;
    }
    for (int token : request.sampling().logitBias().keySet()) {
      if (token < 0 || token >= vocabularySize) return token;
    }
    for (int token : request.sampling().stopTokenIds()) {
      if (token < 0 || token >= vocabularySize) return token;
    }
    return 0;
  }
}
