package dev.stator.transport;

/**
 * Room for a block's new bytes. They are undefined at first, and the block's for good by {@link
 * #commit}, for who has verified them; closed without it, a block that the CPU does not address is
 * as it was, one that it addresses may hold anything.
 */
public interface BlockDraft extends HeldBlock {
  /** Makes {@link #bytes} the block's before it returns. */
  void commit();
}
