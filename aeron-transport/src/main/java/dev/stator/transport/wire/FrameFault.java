package dev.stator.transport.wire;

/** Why a frame was thrown away. None of them changed any memory. */
public enum FrameFault {
  /** Ends before its header does. */
  TOO_SHORT,
  /** Of another version of these frames. */
  WRONG_VERSION,
  /** No frame of this type belongs here. */
  WRONG_TYPE,
  /** The lengths it states are not its own. */
  WRONG_LENGTH,
  /** An offset, a count or a stream outside what is possible. */
  OUT_OF_RANGE,
  /** Nobody has said hello, or somebody has twice. */
  NOT_GREETED,
  /** It continues a block or message that is not under way, or not there, or not with that key. */
  UNKNOWN_TRANSFER,
  /** It is meant for another connection. */
  UNKNOWN_CONNECTION,
  /** A status that no version of these frames knows. */
  UNKNOWN_STATUS,
  /** No room is left for what it asks for. */
  TOO_MUCH
}
