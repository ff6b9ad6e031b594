package dev.stator.cli.transfer;

import java.lang.foreign.MemorySegment;

/** A plain copy by one thread, nothing checked: what all within a host compare with. */
final class CopyWay implements Way {
  static final String NAME = "copy";

  private final MemorySegment source;
  private final MemorySegment target;
  private final int blockBytes;

  CopyWay(MemorySegment source, MemorySegment target, int blockBytes) {
    this.source = source;
    this.target = target;
    this.blockBytes = blockBytes;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public int processes() {
    return 1;
  }

  @Override
  public void moveAll() {
    for (long at = 0; at < source.byteSize(); at += blockBytes) copy(at);
  }

  private void copy(long at) {
    MemorySegment.copy(source, at, target, at, blockBytes);
  }

  @Override
  public long[] moveEach(int blocks) {
    final long[] tookNs = new long[blocks];
    for (int i = 0; i < blocks; i++) {
      final long startNs = System.nanoTime();
      copy((long) i * blockBytes % source.byteSize());
      tookNs[i] = System.nanoTime() - startNs;
    }
    return tookNs;
  }

  @Override
  public void close() {}
}
