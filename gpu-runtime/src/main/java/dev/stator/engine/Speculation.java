package dev.stator.engine;

import dev.stator.kv.BlockPool;
import java.util.List;

/**
 * Adds drafts to the decoding sequences of a step, which then computes a sequence's last token and
 * some guesses of those that follow it together.
 *
 * <pre>
 *   tokens   ... │ last │ draft │ draft │ draft │      computed in one step
 *   logits          │       │       │       │          of each, as if the tokens before it were the answer's
 *   chosen          t0 ═ draft   t1 ═ draft   t2 ≠     t0, t1 and t2 are the answer's next tokens: each was chosen
 *                                                      from logits behind tokens that are the answer's
 * </pre>
 *
 * <p>Rows of a step have the bits that they have alone, so the answer is the one without drafts.
 * What a wrong draft left in the blocks lies behind the sequence's computed tokens, where nobody
 * reads it and later tokens overwrite it; blocks get their names by computed tokens only.
 *
 * <p><b>Threads:</b> the engine's.
 */
final class Speculation {
  private final SpeculationSettings settings;
  private final BlockPool pool;
  private final int blockSize;
  private long draftedTokens;
  private long acceptedTokens;

  Speculation(SpeculationSettings settings, BlockPool pool, int blockSize) {
    this.settings = settings;
    this.pool = pool;
    this.blockSize = blockSize;
  }

  /**
   * Drafts for a step that is made but for this.
   *
   * @param tokensMax of all drafts together
   * @param blocksMax that may be taken for them beyond those that the sequences hold
   */
  void draft(List<Sequence> batch, int tokensMax, int blocksMax) {
    if (settings.mode() == SpeculationSettings.Mode.OFF) return;
    int decoding = 0;
    for (Sequence sequence : batch) {
      if (isAnswering(sequence) && ++decoding > settings.batchMax()) return;
    }
    int tokensLeft = tokensMax;
    int blocksLeft = blocksMax;
    for (Sequence sequence : batch) {
      if (tokensLeft <= 0) return;
      if (!isAnswering(sequence)) continue;
      final int blocksBefore = sequence.table().count();
      draft(sequence, tokensLeft, blocksLeft);
      tokensLeft -= sequence.drafted;
      blocksLeft -= sequence.table().count() - blocksBefore;
    }
  }

  private static boolean isAnswering(Sequence sequence) {
    return sequence.isDecoding() && sequence.pooling() == null;
  }

  private void draft(Sequence sequence, int tokensMax, int blocksMax) {
    final int length = sequence.length();
    final int room = sequence.table().count() * blockSize - length;
    final int spare = Math.max(0, blocksMax) * blockSize;
    // The token at lengthMax - 1 is chosen, but never computed.
    final int end = Math.min(sequence.lengthMax() - 1 - length, room + spare);
    final int drafted = sequence.draft(settings, Math.min(tokensMax, end));
    while (sequence.table().count() * blockSize < length + drafted) {
      sequence.table().append(pool.reserve());
    }
    sequence.fillBlocks(pool, length + drafted);
    draftedTokens += drafted;
  }

  /** What became of a sequence's drafts. */
  void verified(Sequence sequence, int acceptedCount) {
    acceptedTokens += acceptedCount;
    sequence.draftsVerified(acceptedCount);
  }

  long draftedTokens() {
    return draftedTokens;
  }

  long acceptedTokens() {
    return acceptedTokens;
  }
}
