package dev.stator.transport;

/**
 * What moves blocks between agents that it can reach. Contract:
 *
 * <ul>
 *   <li>An accepted {@link BlockWrite} is completed at most once by the backend; one that gets lost
 *       is completed by the agent's timeout.
 *   <li>The source is read only between {@link BlockWrite#acquire} and {@link BlockWrite#release}.
 *   <li>{@link #offer} never blocks and never calls the sink on the caller's behalf before it
 *       returns, unless the backend was made to run on the caller's thread.
 * </ul>
 *
 * <p><b>Threads:</b> any.
 */
public interface TransferBackend extends AutoCloseable {
  /** For the user: how bytes move. */
  String name();

  /**
   * From now on blocks for {@code agent} reach {@code sink}.
   *
   * @throws IllegalStateException when the name is taken
   */
  void attach(String agent, BlockSink sink);

  /** From now on nothing reaches the agent. */
  void detach(String agent);

  /** Takes one block to move; {@code false} when too much is on its way, and nothing was taken. */
  boolean offer(BlockWrite write);

  @Override
  void close();
}
