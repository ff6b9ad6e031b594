package dev.stator.protocol;

/** Where a block lies, fastest first. */
public enum KvTier {
  /** G1, the device's memory. */
  DEVICE,
  /** G2, the host's memory. */
  HOST,
  /** G3, a local disk. */
  DISK,
  /** G4, a remote store. */
  REMOTE
}
