package dev.stator.transport;

import java.util.List;

/** What agents say to each other about reads; {@link AgentMessageCodec} has the bytes. */
sealed interface AgentMessage {
  /** Asks for exported blocks to be written into a grant of the reader's. */
  record ReadRequest(
      long exportId, long exportKeyHigh, long exportKeyLow, Grant grant, List<BlockMove> moves)
      implements AgentMessage {
    /** Moves of one message; a longer read takes several. */
    static final int MOVES_MAX = 1024;

    public ReadRequest {
      if (moves.size() > MOVES_MAX) {
        throw new IllegalArgumentException(moves.size() + " moves in a message");
      }
      moves = List.copyOf(moves);
    }
  }

  /** Tells the reader that no more will come; proves itself by the grant's key. */
  record ReadFailed(long grantId, long keyHigh, long keyLow, TransferStatus status)
      implements AgentMessage {}
}
