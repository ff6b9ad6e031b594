package dev.stator.engine;

/** Why an answer ended. */
public enum FinishReason {
  /** An end token, a stop token or a stop string. */
  STOP,
  /** The token limit or the context's end. */
  LENGTH
}
