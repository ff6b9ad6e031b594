package dev.stator.transport;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;

/** One agent over one backend and all others over another, as if they lived in two processes. */
final class SplitBackend implements TransferBackend {
  private final String agent;
  private final TransferBackend own;
  private final TransferBackend others;

  /**
   * @param agent who uses {@code own}, to write and to be written to
   */
  SplitBackend(String agent, TransferBackend own, TransferBackend others) {
    this.agent = agent;
    this.own = own;
    this.others = others;
  }

  @Override
  public String name() {
    return own.name();
  }

  @Override
  public Map<String, String> attach(String name, BlockSink sink) {
    return of(name).attach(name, sink);
  }

  @Override
  public void detach(String name) {
    of(name).detach(name);
  }

  private TransferBackend of(String name) {
    return name.equals(agent) ? own : others;
  }

  /** Who writes to others is the agent, and the reverse. */
  private TransferBackend writerTo(AgentAddress to) {
    return to.agent().equals(agent) ? others : own;
  }

  @Override
  public boolean reaches(AgentAddress to) {
    return writerTo(to).reaches(to);
  }

  @Override
  public boolean reaches(AgentAddress to, LentPool from) {
    return writerTo(to).reaches(to, from);
  }

  @Override
  public int offerAll(List<BlockWrite> writes) {
    return writes.isEmpty() ? 0 : writerTo(writes.getFirst().grant().agent()).offerAll(writes);
  }

  @Override
  public boolean offer(BlockWrite write) {
    return writerTo(write.grant().agent()).offer(write);
  }

  @Override
  public boolean send(AgentAddress to, MemorySegment message) {
    return writerTo(to).send(to, message);
  }

  @Override
  public void close() {
    own.close();
    others.close();
  }
}
