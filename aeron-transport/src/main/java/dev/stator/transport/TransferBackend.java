package dev.stator.transport;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;

/**
 * What moves blocks between agents that it can reach. Contract:
 *
 * <ul>
 *   <li>An accepted {@link BlockWrite} is completed at most once by the backend; one that gets lost
 *       is completed by the agent's timeout.
 *   <li>The source is read by this process only between {@link BlockWrite#acquire} and {@link
 *       BlockWrite#release}. Another process may read it later, but then what it read does not
 *       match the checksum, or matches because it is the same; or, where no checksum is taken, does
 *       not count because the write {@link BlockWrite#hasEnded has ended}.
 *   <li>{@link #offer} and {@link #send} never block and never call the sink on the caller's behalf
 *       before they return, unless the backend was made to run on the caller's thread.
 *   <li>Nobody but the process that granted a block writes into it: one that hangs and wakes cannot
 *       write into memory that has been given to others.
 * </ul>
 *
 * <p><b>Threads:</b> any.
 */
public interface TransferBackend extends AutoCloseable {
  /** The longest {@link #send message}, in bytes. */
  int MESSAGE_BYTES_MAX = 16 * 1024;

  /** Its name in {@code stator.transport.backends} and {@link AgentAddress#endpoints}. */
  String name();

  /**
   * From now on blocks and messages for {@code agent} reach {@code sink}.
   *
   * @return what others need to get here, by backend: one entry of {@link #name}, or none when this
   *     backend cannot be offered here
   * @throws IllegalStateException when the name is taken
   */
  Map<String, String> attach(String agent, BlockSink sink);

  /** From now on nothing reaches the agent. */
  void detach(String agent);

  /** Whether it is worth trying: cheap, by what the address says, without asking the other side. */
  boolean reaches(AgentAddress to);

  /**
   * The same for blocks of a device's memory, as far as is known of both; a backend that carries
   * nothing else {@link #reaches(AgentAddress) reaches} nobody.
   *
   * @param from where the blocks lie
   */
  default boolean reaches(AgentAddress to, LentPool from) {
    return reaches(to);
  }

  /** Takes one block to move; {@code false} when too much is on its way, and nothing was taken. */
  boolean offer(BlockWrite write);

  /**
   * {@link #offer} of several blocks of one write, in order; cheaper where there are many.
   *
   * @param writes of one grant and one memory
   * @return how many have been taken, the first ones; none of the others
   */
  default int offerAll(List<BlockWrite> writes) {
    int taken = 0;
    while (taken < writes.size() && offer(writes.get(taken))) taken++;
    return taken;
  }

  /**
   * Sends a few bytes to an agent; they may get lost.
   *
   * @param message at most {@link #MESSAGE_BYTES_MAX} long; owned by the caller, read during the
   *     call only
   * @return {@code false} when nothing was taken: not reachable, or too much is on its way
   */
  boolean send(AgentAddress to, MemorySegment message);

  @Override
  void close();
}
