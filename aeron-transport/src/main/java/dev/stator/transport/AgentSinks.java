package dev.stator.transport;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Who takes the blocks and messages that a backend brings, by agent. <b>Threads:</b> any. */
public final class AgentSinks {
  private final Map<String, BlockSink> sinks = new ConcurrentHashMap<>();

  /**
   * @throws IllegalStateException when the name is taken
   */
  public void attach(String agent, BlockSink sink) {
    if (sinks.putIfAbsent(agent, sink) != null) {
      throw new IllegalStateException("agent " + agent + " is attached already");
    }
  }

  public void detach(String agent) {
    sinks.remove(agent);
  }

  /** {@code null} when there is no such agent. */
  public BlockSink of(String agent) {
    return sinks.get(agent);
  }

  /** Detaches all. */
  public void clear() {
    sinks.clear();
  }
}
