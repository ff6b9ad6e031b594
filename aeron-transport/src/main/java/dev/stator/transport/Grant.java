package dev.stator.transport;

import java.time.Duration;
import java.util.List;

/**
 * The right to write into exactly these blocks of another agent's memory, once each. Whoever holds
 * it may write; it travels to the writer over the control plane.
 *
 * @param agent the agent that granted it, which is also where to write
 * @param id names the grant at its agent
 * @param keyHigh upper half of a random 128-bit key that a writer has to present
 * @param keyLow lower half
 * @param blocks block indices at the granting side, in the order in which they count as contiguous
 * @param geometry of every block; a writer's must be the same
 * @param life how long after its making the granting side honours it
 */
public record Grant(
    AgentAddress agent,
    long id,
    long keyHigh,
    long keyLow,
    List<Integer> blocks,
    BlockGeometry geometry,
    Duration life) {
  public Grant {
    blocks = List.copyOf(blocks);
    if (blocks.isEmpty()) throw new IllegalArgumentException("a grant needs a block");
  }

  /** Without the key: a grant ends up in logs. */
  @Override
  public String toString() {
    return "Grant["
        + agent.agent()
        + "#"
        + id
        + ", "
        + blocks.size()
        + " blocks of "
        + geometry.blockBytes()
        + "]";
  }
}
