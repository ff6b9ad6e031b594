package dev.stator.transport;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** The blocks of one write until all of them have ended. <b>Threads:</b> any. */
final class PostedWrite {
  private final long id;
  private final RegisteredMemory memory;
  private final long deadlineNs;
  private final Consumer<WriteOutcome> onEnd;
  private final List<BlockWrite> blocks;

  // Guarded by this.
  private int openBlocks;
  private int writtenBlocks;
  private final List<BlockMove> missing = new ArrayList<>();
  private TransferStatus firstTrouble = TransferStatus.OK;

  PostedWrite(
      long id,
      Grant grant,
      RegisteredMemory memory,
      List<BlockMove> moves,
      long deadlineNs,
      Consumer<WriteOutcome> onEnd) {
    this.id = id;
    this.memory = memory;
    this.deadlineNs = deadlineNs;
    this.onEnd = onEnd;
    this.openBlocks = moves.size();
    this.blocks = new ArrayList<>(moves.size());
    for (BlockMove move : moves) {
      blocks.add(
          new BlockWrite(
              grant,
              move.targetBlock(),
              memory,
              move.sourceBlock(),
              status -> blockEnded(move, status)));
    }
  }

  RegisteredMemory memory() {
    return memory;
  }

  List<BlockWrite> blocks() {
    return blocks;
  }

  boolean touches(RegisteredMemory where, Set<Integer> sourceBlocks) {
    return memory == where
        && blocks.stream().anyMatch(block -> sourceBlocks.contains(block.sourceBlock()));
  }

  boolean isOverdue(long nowNs) {
    return nowNs - deadlineNs >= 0;
  }

  /** Ends all blocks that have not ended. */
  void withdraw(TransferStatus why) {
    for (BlockWrite block : blocks) block.complete(why);
  }

  private void blockEnded(BlockMove move, TransferStatus status) {
    final WriteOutcome outcome;
    synchronized (this) {
      if (status == TransferStatus.OK) writtenBlocks++;
      else missing.add(move);
      if (firstTrouble == TransferStatus.OK) firstTrouble = status;
      if (--openBlocks > 0) return;
      outcome = new WriteOutcome(id, firstTrouble, writtenBlocks, missing);
    }
    onEnd.accept(outcome);
  }
}
