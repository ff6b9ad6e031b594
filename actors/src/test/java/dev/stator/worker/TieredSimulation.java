package dev.stator.worker;

import dev.stator.device.HostBlocks;
import dev.stator.device.simulated.SimulatedDevice;
import dev.stator.testing.ForwardingDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Consumer;

/** A simulated device with a host tier, from which blocks are copied beside the engine's thread. */
final class TieredSimulation extends ForwardingDevice implements HostBlocks {
  private final int slotCount;
  private final MemorySegment slots;

  /** With blocks of 4 tokens. */
  TieredSimulation(int blockCount, int slotCount) {
    super(new SimulatedDevice(blockCount, 4, 50, 200));
    this.slotCount = slotCount;
    this.slots = Arena.ofAuto().allocate(slotCount * kvLayout().blockBytes(), 64);
  }

  @Override
  public HostBlocks hostBlocks() {
    return this;
  }

  @Override
  public int slotCount() {
    return slotCount;
  }

  /** At once, so that no block is evicted before. */
  @Override
  public void store(List<Copy> copies, Consumer<RuntimeException> onEnd) {
    for (Copy copy : copies) slot(copy).copyFrom(block(copy.block()));
    onEnd.accept(null);
  }

  @Override
  public void load(List<Copy> copies, Consumer<RuntimeException> onEnd) {
    Thread.startVirtualThread(() -> {
      for (Copy copy : copies) block(copy.block()).copyFrom(slot(copy));
      onEnd.accept(null);
    });
  }

  private MemorySegment slot(Copy copy) {
    return slots.asSlice(copy.slot() * kvLayout().blockBytes(), kvLayout().blockBytes());
  }
}
