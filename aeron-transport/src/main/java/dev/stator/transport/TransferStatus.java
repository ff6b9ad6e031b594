package dev.stator.transport;

/** How a block's way ended. Only {@link #OK} changed memory for good. */
public enum TransferStatus {
  /** Arrived and verified, now or before. */
  OK,
  /** The grant has never existed, or has ended. */
  UNKNOWN_GRANT,
  /** The grant exists, the key is not its key. */
  WRONG_KEY,
  /** The block is not in the grant, or not in the memory it was to be read from. */
  OUT_OF_RANGE,
  /** The bytes are not one block. */
  WRONG_LENGTH,
  /** The two ends' blocks mean different things, or have different lengths. */
  WRONG_GEOMETRY,
  /** The bytes that arrived are not the bytes that left. */
  BAD_CHECKSUM,
  /** The same block is being written by somebody else at this moment. */
  BUSY,
  /** No backend reaches the grant's agent, or nobody is there. */
  UNREACHABLE,
  /** Too much is on its way, or held; nothing was taken, and trying again helps. */
  BACK_PRESSURED,
  /** No answer came in time. */
  TIMED_OUT,
  /** The writer withdrew it. */
  CANCELLED,
  /** A message that no agent could have sent. */
  MALFORMED,
  /** Source or target could not be read or written. */
  FAILED
}
