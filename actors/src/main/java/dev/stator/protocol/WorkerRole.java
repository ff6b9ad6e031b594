package dev.stator.protocol;

/** What a worker takes on. Every engine can do both; roles only say what it is asked to. */
public enum WorkerRole {
  /** Computes prompts for other workers. */
  PREFILL,
  /** Holds sequences and answers them; also prefills for itself. */
  DECODE
}
