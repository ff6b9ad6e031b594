package dev.stator.device.cuda;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Steps recorded as CUDA graphs, one for each shape. The first step of a shape runs as launches,
 * the second is recorded: kernels are loaded by then, and shapes that do not come again cost
 * nothing.
 *
 * <p><b>Threads:</b> the driver's. <b>Ownership:</b> of the graphs, until {@link #close}.
 */
final class DecodeGraphs implements AutoCloseable {
  /** Graphs that are kept; the one that was launched longest ago goes first. */
  static final int COUNT_MAX = 64;

  /**
   * What a recording depends on.
   *
   * @param rows padding included
   * @param generation of the tables whose addresses it names
   */
  record Key(int rows, AttentionShape.Bucket bucket, int generation) {}

  private final Driver.Stream stream;
  private final Map<Key, Driver.Graph> graphs = new LinkedHashMap<>(16, 0.75f, true);

  DecodeGraphs(Driver.Stream stream) {
    this.stream = stream;
  }

  /** Gives {@code work} to the stream, as a graph when it has come before. */
  void run(Key key, Runnable work) {
    if (!graphs.containsKey(key)) {
      work.run();
      graphs.put(key, null);
      dropOldest();
      return;
    }
    Driver.Graph graph = graphs.get(key);
    if (graph == null) {
      graph = stream.capture(work);
      graphs.put(key, graph);
    }
    stream.launch(graph);
  }

  private void dropOldest() {
    if (graphs.size() <= COUNT_MAX) return;
    final var oldest = graphs.entrySet().iterator();
    final Driver.Graph graph = oldest.next().getValue();
    oldest.remove();
    if (graph != null) graph.close();
  }

  /** What was recorded is void. */
  void forget() {
    close();
  }

  @Override
  public void close() {
    for (Driver.Graph graph : graphs.values()) if (graph != null) graph.close();
    graphs.clear();
  }
}
