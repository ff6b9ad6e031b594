package dev.stator.transport;

import java.time.Duration;
import java.util.List;

/**
 * The right to read exactly these blocks of another agent's memory, as often as wanted. Whoever
 * holds it may read; it travels to the reader over the control plane.
 *
 * @param agent the agent that exported them, which is also whom to ask
 * @param id names the export at its agent
 * @param keyHigh upper half of a random 128-bit key that a reader has to present
 * @param keyLow lower half
 * @param blocks block indices at the exporting side
 * @param geometry of every block; a reader's must be the same
 * @param life how long after its making the exporting side honours it
 */
public record Export(
    AgentAddress agent,
    long id,
    long keyHigh,
    long keyLow,
    List<Integer> blocks,
    BlockGeometry geometry,
    Duration life) {
  public Export {
    blocks = List.copyOf(blocks);
    if (blocks.isEmpty()) throw new IllegalArgumentException("an export needs a block");
  }

  /** Without the key: an export ends up in logs. */
  @Override
  public String toString() {
    return "Export["
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
