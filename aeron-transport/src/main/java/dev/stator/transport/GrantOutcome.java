package dev.stator.transport;

/**
 * How a grant ended; told exactly once. From then on nobody writes into its blocks.
 *
 * @param arrivedBlocks verified
 * @param contiguousBlocks of these, how many from the grant's first without a hole
 */
public record GrantOutcome(long grantId, Ending ending, int arrivedBlocks, int contiguousBlocks) {
  /** Why. */
  public enum Ending {
    /** All blocks have arrived. */
    COMPLETE,
    /** The granting side took it back. */
    REVOKED,
    /** Its life is over. */
    EXPIRED,
    /** Its memory is no longer registered, or the agent is closed. */
    CLOSED
  }
}
