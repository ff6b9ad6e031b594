package dev.stator.transport;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Goes nowhere: keeps the sink of its agent, and the blocks that it is offered. */
public final class TapBackend implements TransferBackend {
  public final List<BlockWrite> offered = new ArrayList<>();
  public BlockSink sink;

  @Override
  public String name() {
    return "tap";
  }

  @Override
  public Map<String, String> attach(String agent, BlockSink newSink) {
    sink = newSink;
    return Map.of();
  }

  @Override
  public void detach(String agent) {}

  @Override
  public boolean reaches(AgentAddress to) {
    return true;
  }

  @Override
  public boolean offer(BlockWrite write) {
    return offered.add(write);
  }

  @Override
  public boolean send(AgentAddress to, MemorySegment message) {
    return false;
  }

  @Override
  public void close() {}
}
