package dev.stator.cluster;

import dev.stator.request.ServedModel;
import java.util.List;

/**
 * A model and the engine slots that a node runs it on.
 *
 * @param card what other nodes make their {@link ServedModel} from; equal on all nodes that host
 *     the model; owned by this, never written
 * @param slots at least one; named by their place in this list, {@code node/0} and so on
 */
public record HostedModel(ServedModel served, byte[] card, List<EngineSlot> slots) {
  public HostedModel {
    slots = List.copyOf(slots);
    if (slots.isEmpty()) {
      throw new IllegalArgumentException("model " + served.name() + " needs a slot");
    }
  }
}
