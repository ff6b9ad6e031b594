package dev.stator.cli;

import dev.stator.device.MemoryPlan;
import java.net.URI;
import java.util.List;
import java.util.Optional;

/**
 * What a node runs, for the summary at its start.
 *
 * @param model empty on a node without engines
 * @param slots the engine slots of this process
 * @param cluster empty on a node that is alone
 * @param address where it answers, such as {@code http://127.0.0.1:8080}
 */
public record NodeSummary(
    Optional<Model> model, List<Slot> slots, Optional<Cluster> cluster, URI address) {
  public NodeSummary {
    slots = List.copyOf(slots);
  }

  /**
   * A model.
   *
   * @param servedName the name clients use
   * @param source the model's file or folder
   * @param format of the file and its weights, such as {@code gguf Q8_0}
   * @param architecture the model's family
   * @param parameterCount weights, tied ones once
   * @param contextLength tokens of prompt and answer together at most
   */
  public record Model(
      String servedName,
      String source,
      String format,
      String architecture,
      long parameterCount,
      int contextLength) {}

  /**
   * One engine slot.
   *
   * @param phases what it computes: {@code prefill}, {@code decode} or {@code prefill + decode}
   * @param kernels {@link dev.stator.device.Device#description}
   * @param memory what this slot has taken; memory shared by slots is a term of the first alone
   */
  public record Slot(String phases, String kernels, MemoryPlan memory) {}

  /**
   * A place in a cluster.
   *
   * @param roles in words
   * @param address {@code host:port} that others join through
   * @param transferBackends how KV blocks may travel, in the order in which they are tried
   * @param copies what copies and checks them where they arrive whole
   * @param models served by the whole cluster when this node was ready
   * @param servesClients whether this node's address takes requests
   */
  public record Cluster(
      String nodeName,
      String roles,
      String address,
      List<String> transferBackends,
      String copies,
      List<String> models,
      boolean servesClients) {
    public Cluster {
      transferBackends = List.copyOf(transferBackends);
      models = List.copyOf(models);
    }
  }

  /** The name of a model that can be asked for at this node's address, if there is one. */
  public Optional<String> servedName() {
    if (cluster.isPresent() && !cluster.get().servesClients()) return Optional.empty();
    return model
        .map(Model::servedName)
        .or(() -> cluster.flatMap(members -> members.models().stream().findFirst()));
  }
}
