package dev.stator.engine;

import dev.stator.device.Device;
import dev.stator.device.HostBlocks;
import dev.stator.testing.ForwardingDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;

/**
 * Another device with a host tier whose copies are made when told to: as late as that, stores in
 * their order, loads in any; one in twelve fails. Until then, and when they fail, what they are to
 * write is garbage.
 */
final class TieredDevice extends ForwardingDevice implements HostBlocks {
  private static final byte GARBAGE = 0x5A;
  private static final byte LOST = 0x33;

  private final Random random;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment slots;
  private final int slotCount;
  private final Deque<Order> stores = new ArrayDeque<>();
  private final List<Order> loads = new ArrayList<>();
  private boolean hasLoaded;

  private record Order(List<Copy> copies, Consumer<RuntimeException> onEnd) {}

  TieredDevice(Device device, int slotCount, Random random) {
    super(device);
    this.random = random;
    this.slotCount = slotCount;
    this.slots = arena.allocate(slotCount * device.kvLayout().blockBytes(), 64);
  }

  @Override
  public HostBlocks hostBlocks() {
    return this;
  }

  @Override
  public int slotCount() {
    return slotCount;
  }

  @Override
  public void store(List<Copy> copies, Consumer<RuntimeException> onEnd) {
    for (Copy copy : copies) slot(copy).fill(GARBAGE);
    stores.add(new Order(copies, onEnd));
  }

  @Override
  public void load(List<Copy> copies, Consumer<RuntimeException> onEnd) {
    for (Copy copy : copies) block(copy.block()).fill(GARBAGE);
    loads.add(new Order(copies, onEnd));
    hasLoaded = true;
  }

  /** Makes the copies of one order; {@code false} when there is none. */
  boolean endOne() {
    if (stores.isEmpty() && loads.isEmpty()) return false;
    final boolean isLoad = stores.isEmpty() || !loads.isEmpty() && random.nextBoolean();
    end(isLoad, isLoad ? random.nextInt(loads.size()) : 0, random.nextInt(12) == 0);
    return true;
  }

  /** Makes the copies of all orders to store. */
  void endStores() {
    while (!stores.isEmpty()) end(false, 0, false);
  }

  /** Makes, or fails, the copies of the oldest order to load. */
  void endLoad(boolean fails) {
    end(true, 0, fails);
  }

  private void end(boolean isLoad, int index, boolean fails) {
    final Order order = isLoad ? loads.remove(index) : stores.remove();
    for (Copy copy : order.copies) {
      final MemorySegment to = isLoad ? block(copy.block()) : slot(copy);
      if (fails) to.fill(LOST);
      else to.copyFrom(isLoad ? slot(copy) : block(copy.block()));
    }
    hasLoaded |= isLoad;
    order.onEnd.accept(fails ? new IllegalStateException("as planned") : null);
  }

  /** Whether a load was begun or ended since the last call. */
  boolean hasLoaded() {
    final boolean had = hasLoaded;
    hasLoaded = false;
    return had;
  }

  boolean isLoading() {
    return !loads.isEmpty();
  }

  private MemorySegment slot(Copy copy) {
    final long bytes = kvLayout().blockBytes();
    return slots.asSlice(copy.slot() * bytes, bytes);
  }

  @Override
  public void close() {
    super.close();
    arena.close();
  }
}
