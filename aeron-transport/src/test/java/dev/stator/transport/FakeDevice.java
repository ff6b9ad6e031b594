package dev.stator.transport;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A device whose blocks others of its like get at: by a name within this process, by a file's from
 * others.
 */
public final class FakeDevice implements DevicePool {
  private static final Map<String, MemorySegment> LENT = new ConcurrentHashMap<>();

  private final MemorySegment region;
  private final long blockBytes;
  private final byte[] handle;
  public final AtomicInteger opens = new AtomicInteger();
  public final AtomicInteger closes = new AtomicInteger();
  public final AtomicInteger pulled = new AtomicInteger(); // Into this one.
  public volatile boolean refuses;
  public volatile boolean isBroken;
  public volatile Runnable onPull = () -> {}; // Before the bytes are there.

  /** One within this process. */
  public FakeDevice(MemorySegment region, long blockBytes) {
    this(region, blockBytes, UUID.randomUUID().toString());
    LENT.put(new String(handle, StandardCharsets.US_ASCII), region);
  }

  /**
   * @param file where the region is mapped from
   */
  FakeDevice(MemorySegment region, long blockBytes, Path file) {
    this(region, blockBytes, file.toString());
  }

  private FakeDevice(MemorySegment region, long blockBytes, String name) {
    this.region = region;
    this.blockBytes = blockBytes;
    this.handle = name.getBytes(StandardCharsets.US_ASCII);
  }

  @Override
  public byte[] handle() {
    return handle;
  }

  @Override
  public Source open(byte[] theirs) {
    opens.incrementAndGet();
    if (refuses) return null;
    final String name = new String(theirs, StandardCharsets.US_ASCII);
    final Arena arena = Arena.ofShared();
    final MemorySegment source = name.startsWith("/") ? map(name, arena) : LENT.get(name);
    return source == null ? null : new Opened(source, arena);
  }

  private static MemorySegment map(String name, Arena arena) {
    try (FileChannel file = FileChannel.open(Path.of(name), StandardOpenOption.READ)) {
      return file.map(FileChannel.MapMode.READ_ONLY, 0, file.size(), arena);
    } catch (IOException gone) {
      arena.close();
      return null;
    }
  }

  private final class Opened implements Source {
    private final MemorySegment source;
    private final Arena arena;

    private Opened(MemorySegment source, Arena arena) {
      this.source = source;
      this.arena = arena;
    }

    @Override
    public int blockCount() {
      return (int) (source.byteSize() / blockBytes);
    }

    @Override
    public void pull(int[] blocks, int[] targets) {
      for (int i = 0; i < blocks.length; i++) {
        onPull.run();
        if (isBroken) throw new IllegalStateException("broken, as told");
        MemorySegment.copy(
            source, blocks[i] * blockBytes, region, targets[i] * blockBytes, blockBytes);
        pulled.incrementAndGet();
      }
    }

    @Override
    public void close() {
      closes.incrementAndGet();
      arena.close(); // Twice is an exception.
    }
  }
}
