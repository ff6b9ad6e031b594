package dev.stator.device;

import java.util.List;
import java.util.function.Consumer;

/**
 * Page-locked host memory for blocks that the CPU does not address, in slots of one block each, and
 * copies between the two that run beside steps.
 *
 * <p>A list of copies is one order: it is carried out as a whole, at some time after the call, in
 * which the engine's thread goes on. Then its {@code onEnd} is called, once, on any thread, which
 * it must not hold up: with {@code null}, or with why the copies failed; what they would have
 * written may hold anything then. Orders to store end in their order. After the device is closed
 * orders fail.
 *
 * <p><b>Threads:</b> the engine's. <b>Ownership:</b> until {@code onEnd} nobody else writes what is
 * read or touches what is written; a device block that is read may be written all the same by whom
 * the copy is of no use to any more. So each order has a slot, or a device block, that no other of
 * its direction has, and there are no more of them than blocks: what is beyond that fails.
 */
public interface HostBlocks {
  /** One block, here and there. */
  record Copy(int block, int slot) {}

  int slotCount();

  /** Starts copies from the device's blocks, as steps that have ended left them. */
  void store(List<Copy> copies, Consumer<RuntimeException> onEnd);

  /** Starts copies to the device's blocks; steps that begin after the end see them. */
  void load(List<Copy> copies, Consumer<RuntimeException> onEnd);
}
