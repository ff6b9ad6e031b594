package dev.stator.device.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Device and page-locked memory of an {@link EmulatedDriver}: host memory that is watched. New
 * device memory is full of ones (NaN as float32 and bf16, -1 as int32). Around it lie guards, which
 * show what a kernel wrote beyond an end; freed memory is kept until {@link #close}, so that a
 * kernel that uses it harms nobody. <b>Threads:</b> any, of a driver and its companions.
 */
final class EmulatedMemory implements AutoCloseable {
  private static final long ALIGNMENT = 256;
  private static final long GUARD_BYTES = 256;
  private static final byte GUARD = (byte) 0xA5;
  private static final byte UNDEFINED = (byte) 0xFF;
  private static final MemorySegment GUARD_SEGMENT =
      Arena.global().allocate(GUARD_BYTES).fill(GUARD);

  private final Arena arena = Arena.ofShared();
  private final TreeMap<Long, Block> blocks = new TreeMap<>();
  private final Map<Long, Arena> locked = new HashMap<>();
  private final Map<Long, SharedFile> files = new HashMap<>(); // Where memory is shared, by block.
  private final Map<Long, Arena> opened = new HashMap<>(); // Other processes' blocks.
  private final boolean isShared;
  private final long bytesMax;
  private final Watcher watcher;
  private long bytesTaken;

  /** Bytes between two guards. */
  private static final class Block {
    private final MemorySegment whole;
    private final long bytes;
    private boolean isFreed;

    private Block(MemorySegment whole, long bytes) {
      this.whole = whole;
      this.bytes = bytes;
    }

    private MemorySegment content() {
      return whole.asSlice(GUARD_BYTES, bytes);
    }

    private void checkGuards(String writer) {
      final long end = GUARD_BYTES + bytes;
      if (!isWhole(0)) throw beyond(writer, "before");
      if (!isWhole(end)) throw beyond(writer, "after");
    }

    private boolean isWhole(long offset) {
      return MemorySegment.mismatch(
              whole, offset, offset + GUARD_BYTES, GUARD_SEGMENT, 0, GUARD_BYTES)
          < 0;
    }

    private CudaException beyond(String writer, String side) {
      return new CudaException(writer + " wrote " + side + " device memory of " + bytes + " bytes");
    }
  }

  /**
   * @param watcher is told what kernels may use
   * @param isShared whether other processes can get at it
   */
  EmulatedMemory(long bytesMax, Watcher watcher, boolean isShared) {
    this.isShared = isShared;
    this.bytesMax = bytesMax;
    this.watcher = watcher;
  }

  /** Is told what there is. */
  interface Watcher {
    /** Memory begins or ceases to be there. */
    void memory(long address, long bytes, boolean isThere);
  }

  long totalBytes() {
    return bytesMax;
  }

  synchronized long freeBytes() {
    return bytesMax - bytesTaken;
  }

  synchronized long allocate(long bytes) {
    if (bytes <= 0) throw new CudaException("allocate " + bytes + " bytes: expected 1 or more");
    if (bytes > freeBytes()) {
      throw new OutOfMemoryError(
          bytes + " bytes of device memory, of which " + freeBytes() + " are free");
    }
    final long wholeBytes = bytes + 2 * GUARD_BYTES;
    final SharedFile file = isShared ? SharedFile.create(wholeBytes, arena) : null;
    final MemorySegment whole = file == null ? arena.allocate(wholeBytes, ALIGNMENT) : file.bytes();
    final Block block = new Block(whole.fill(GUARD), bytes);
    if (file != null) files.put(block.content().address(), file);
    block.content().fill(UNDEFINED);
    blocks.put(block.content().address(), block);
    bytesTaken += bytes;
    watcher.memory(block.content().address(), bytes, true);
    return block.content().address();
  }

  synchronized void free(long address) {
    final Block block = blocks.get(address);
    if (block == null) throw new CudaException("free " + hex(address) + ": not allocated here");
    if (block.isFreed) throw new CudaException("free " + hex(address) + ": freed before");
    block.checkGuards("something");
    block.isFreed = true;
    block.content().fill(UNDEFINED);
    bytesTaken -= block.bytes;
    if (files.containsKey(address)) files.remove(address).delete();
    watcher.memory(address, block.bytes, false);
  }

  synchronized Driver.Allocation allocationOf(long address) {
    final Block block = blockAt(address);
    if (block == null || block.isFreed) throw new CudaException(hex(address) + ": no allocation");
    return new Driver.Allocation(block.content().address(), block.bytes);
  }

  /** The name of a file, and zeros. */
  synchronized byte[] ipcHandle(long address) {
    final SharedFile file = files.get(allocationOf(address).start());
    if (file == null) throw new CudaException("ipcHandle: the memory is not shared");
    return file.handle();
  }

  synchronized long ipcOpen(byte[] handle) {
    final Arena own = Arena.ofShared();
    final MemorySegment whole = SharedFile.open(handle, own);
    final Block block = new Block(whole, whole.byteSize() - 2 * GUARD_BYTES);
    blocks.put(block.content().address(), block);
    opened.put(block.content().address(), own);
    return block.content().address();
  }

  synchronized void ipcClose(long start) {
    final Arena own = opened.remove(start);
    if (own == null) throw new CudaException("ipcClose " + hex(start) + ": not opened here");
    blocks.remove(start);
    own.close();
  }

  synchronized MemorySegment allocateHost(long bytes) {
    if (bytes <= 0) throw new CudaException("allocateHost " + bytes + " bytes: expected 1 or more");
    final Arena own = Arena.ofShared();
    final MemorySegment memory = own.allocate(bytes, ALIGNMENT).fill(UNDEFINED);
    locked.put(memory.address(), own);
    return memory;
  }

  synchronized void freeHost(MemorySegment memory) {
    final Arena own = locked.remove(memory.address());
    if (own == null) throw new CudaException("freeHost: not page-locked memory of this driver");
    own.close();
  }

  /** Whether memory lies in what {@link #allocateHost} gave. */
  synchronized boolean isLocked(MemorySegment memory) {
    return locked.values().stream().anyMatch(own -> own.scope().equals(memory.scope()));
  }

  /**
   * Device memory as the host sees it.
   *
   * @param what for the error
   */
  synchronized MemorySegment at(long address, long bytes, String what) {
    final String range = what + ", " + bytes + " bytes at " + hex(address) + ": ";
    final Map.Entry<Long, Block> entry = blocks.floorEntry(address);
    if (entry == null || address >= entry.getKey() + entry.getValue().bytes) {
      throw new CudaException(range + "no device memory");
    }
    final Block block = entry.getValue();
    final long offset = address - entry.getKey();
    if (block.isFreed) throw new CudaException(range + "freed");
    if (bytes < 0 || bytes > block.bytes - offset) {
      throw new CudaException(
          range + "beyond its memory, which ends " + (block.bytes - offset) + " bytes on");
    }
    return block.content().asSlice(offset, bytes);
  }

  /** Of the numbers in a kernel's struct, none may point into freed memory. */
  synchronized void checkParams(String kernel, MemorySegment params) {
    for (long at = 0; at + Long.BYTES <= params.byteSize(); at += Long.BYTES) {
      final Block block = blockAt(params.get(ValueLayout.JAVA_LONG_UNALIGNED, at));
      if (block == null || !block.isFreed) continue;
      throw new CudaException(kernel + " was given freed memory, at byte " + at + " of params");
    }
  }

  /** Of the numbers in a struct of another device's kernel, none may point here. */
  synchronized void checkForeign(String kernel, MemorySegment params) {
    for (long at = 0; at + Long.BYTES <= params.byteSize(); at += Long.BYTES) {
      if (blockAt(params.get(ValueLayout.JAVA_LONG_UNALIGNED, at)) == null) continue;
      throw new CudaException(
          kernel + " was given another device's memory, at byte " + at + " of params");
    }
  }

  /** What holds that address, or did before it was freed; {@code null} for nothing. */
  private Block blockAt(long address) {
    final Map.Entry<Long, Block> entry = blocks.floorEntry(address);
    return entry != null && address < entry.getKey() + entry.getValue().bytes
        ? entry.getValue()
        : null;
  }

  synchronized void checkGuards(String writer) {
    for (Block block : blocks.values()) block.checkGuards(writer);
  }

  static String hex(long address) {
    return "0x" + Long.toHexString(address);
  }

  @Override
  public void close() {
    locked.values().forEach(Arena::close);
    locked.clear();
    for (long start : List.copyOf(opened.keySet())) ipcClose(start);
    files.values().forEach(SharedFile::delete);
    for (Block block : blocks.values()) {
      if (!block.isFreed) watcher.memory(block.content().address(), block.bytes, false);
    }
    blocks.clear();
    arena.close();
  }
}
