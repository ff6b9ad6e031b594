package dev.stator.device.cuda;

import dev.stator.kv.KvLayout;
import dev.stator.model.ModelConfig;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * What attention's one split of 512 positions costs, beside the split that is the fastest for a
 * batch and a context.
 *
 * <p><b>Threads:</b> the driver's.
 */
final class AttentionPrices {
  /** Splits that are tried where the context has more than one of them. */
  private static final int[] SPLITS = {64, 128, 256, 512, 1024, 2048, 4096};

  private static final int LAYERS_MAX = 256;
  private static final int ALIGNMENT = 16;

  private final Driver driver;
  private final ModelConfig config;
  private final long bytesMin;
  private final int rounds;

  /**
   * @param bytesMin of keys and values that a measurement goes through, layer by layer: more than
   *     caches hold
   */
  AttentionPrices(Driver driver, ModelConfig config, long bytesMin, int rounds) {
    this.driver = driver;
    this.config = config;
    this.bytesMin = bytesMin;
    this.rounds = rounds;
  }

  /** Splits for a context, the last one without a second. */
  static List<Integer> splits(int context) {
    final List<Integer> splits = new ArrayList<>();
    for (int split : SPLITS) if (split < context) splits.add(split);
    splits.add(Math.ceilDiv(context, SPLITS[0]) * SPLITS[0]);
    return splits;
  }

  /** Sequences of one length that decode a token each. */
  Price decode(int batch, int context) {
    final List<AttentionShape.Slice> slices = new ArrayList<>();
    final int blocks = blocks(context);
    for (int i = 0; i < batch; i++) {
      slices.add(new AttentionShape.Slice(i, 1, context - 1, i * blocks));
    }
    final String what = "decode attention, %d x %d".formatted(batch, context);
    return price(what, slices, batch, batch * blocks, splits(context));
  }

  /** A prompt: with splits, and without. */
  Price prefill(int length) {
    final var slice = new AttentionShape.Slice(0, length, 0, 0);
    final List<Integer> none = List.of(Math.ceilDiv(length, SPLITS[0]) * SPLITS[0]);
    return price("prefill attention, " + length, List.of(slice), length, blocks(length), none);
  }

  private static int blocks(int tokens) {
    return Math.ceilDiv(tokens, CudaDevice.BLOCK_SIZE);
  }

  private Price price(
      String what,
      List<AttentionShape.Slice> slices,
      int tokens,
      int blocks,
      List<Integer> splits) {
    final int layers = Math.clamp(bytesMin / (blocks * layerBytes()), 1, LAYERS_MAX);
    try (DeviceMemory memory = new DeviceMemory(driver);
        Driver.Stream stream = driver.newStream();
        Arena arena = Arena.ofConfined()) {
      final var on = new Room(memory, stream, arena, layout(layers), tokens, blocks);
      final var fixed = shape();
      final List<Contest.Entry> entries = new ArrayList<>();
      entries.add(on.entry("split " + AttentionShape.SPLIT, true, fixed.plan(slices)));
      for (int split : splits) {
        final var plan = fixed.free(split).plan(slices);
        final String name = plan.merge() == null ? "one split" : "split " + split;
        entries.add(on.entry(name, false, plan));
      }
      return new Contest(rounds).run(what, entries).price();
    }
  }

  private long layerBytes() {
    return layout(1).blockBytes();
  }

  private KvLayout layout(int layers) {
    return new KvLayout(
        layers,
        config.keyValueHeadCount(),
        config.headSize(),
        KvLayout.KvType.BF16,
        CudaDevice.BLOCK_SIZE);
  }

  /** With room for all partial results. */
  private AttentionShape shape() {
    return new AttentionShape(
        config.headCount(),
        config.keyValueHeadCount(),
        config.headSize(),
        driver.sharedBytesMax(),
        Long.MAX_VALUE);
  }

  /** Queries, and keys and values of so many layers, in blocks that lie shuffled. */
  private final class Room {
    private final DeviceMemory memory;
    private final Driver.Stream stream;
    private final Arena arena;
    private final KvLayout layout;
    private final AttentionKernels kernels;
    private final long queries;
    private final long out;
    private final long pool;
    private final long table;

    private Room(
        DeviceMemory memory,
        Driver.Stream stream,
        Arena arena,
        KvLayout layout,
        int tokens,
        int blocks) {
      this.memory = memory;
      this.stream = stream;
      this.arena = arena;
      this.layout = layout;
      kernels =
          new AttentionKernels(
              driver, config.headCount(), config.keyValueHeadCount(), config.headSize(), arena);
      queries = filled((long) tokens * config.querySize() * Short.BYTES);
      out = filled((long) tokens * config.querySize() * Short.BYTES);
      pool = filled(blocks * layout.blockBytes());
      final List<Integer> order = new ArrayList<>();
      for (int i = 0; i < blocks; i++) order.add(i);
      Collections.shuffle(order, new Random(blocks));
      table = ints(order.stream().mapToInt(i -> i).toArray());
    }

    private long filled(long bytes) {
      final long address = memory.take("values", bytes);
      stream.fill(address, CudaBenchmark.SMALL, bytes);
      return address;
    }

    private long ints(int... values) {
      final MemorySegment from = arena.allocateFrom(ValueLayout.JAVA_INT, values);
      final long address = memory.take("tables", from.byteSize());
      stream.copyToDevice(address, from);
      stream.synchronize();
      return address;
    }

    /** All layers' attention. */
    private Contest.Entry entry(String name, boolean hasOurBits, AttentionShape.Plan plan) {
      final var on =
          new AttentionKernels.Memory(
              queries,
              pool,
              table,
              ints(plan.lists()),
              out,
              memory.take("partial results", Math.max(plan.partialBytes(), ALIGNMENT)),
              Math.toIntExact(layout.blockBytes()),
              config.attentionScale(),
              0);
      final Runnable work =
          () -> {
            for (int layer = 0; layer < layout.layerCount(); layer++) {
              final int keys = Math.toIntExact(layout.keyOffset(layer, 0));
              kernels.run(stream, plan, on, keys, Integer.MAX_VALUE);
            }
          };
      final var timed = new Contest.Recorded(stream, layout.layerCount(), work);
      return new Contest.Entry(name, hasOurBits, timed);
    }
  }
}
