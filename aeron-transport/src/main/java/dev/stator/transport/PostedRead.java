package dev.stator.transport;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/** One read under way: a grant of this agent's that the exporting agent fills. */
record PostedRead(long id, List<BlockMove> moves, TroubleHolder trouble) {
  /** Why it was given up, when it was: the first reason counts. <b>Threads:</b> any. */
  static final class TroubleHolder {
    private TransferStatus first;

    synchronized void set(TransferStatus why) {
      if (first == null) first = why;
    }

    synchronized TransferStatus orElse(TransferStatus other) {
      return first == null ? other : first;
    }
  }

  ReadOutcome outcome(GrantOutcome ended, BitSet arrived) {
    final TransferStatus status =
        switch (ended.ending()) {
          case COMPLETE -> TransferStatus.OK;
          case EXPIRED -> TransferStatus.TIMED_OUT;
          case REVOKED, CLOSED -> trouble.orElse(TransferStatus.CANCELLED);
        };
    final List<BlockMove> missing = new ArrayList<>();
    for (int slot = 0; slot < moves.size(); slot++) {
      if (!arrived.get(slot)) missing.add(moves.get(slot));
    }
    return new ReadOutcome(id, status, moves.size() - missing.size(), missing);
  }
}
