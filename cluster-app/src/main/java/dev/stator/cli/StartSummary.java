package dev.stator.cli;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import dev.stator.device.MemoryPlan;
import java.net.URI;
import java.util.List;
import java.util.Locale;

/**
 * What a server says of itself when it has started.
 *
 * <pre>
 *   model     stator-tiny: llama, 5.2 million parameters, gguf Q8_0
 *   file      models/stator-tiny-q8_0.gguf
 *   context   2,048 tokens
 *   slot      prefill + decode: Vector API, 512 bits, 2 threads
 *   memory          5.4 MiB  weights
 *             +    24.0 MiB  KV pool: 1024 blocks of 24 KiB
 *             =    29.4 MiB
 *   address   http://127.0.0.1:8080
 *
 *   curl -N http://127.0.0.1:8080/v1/chat/completions ...
 * </pre>
 */
public final class StartSummary {
  private static final String PROMPT = "Tell me a story about a fox.";

  private StartSummary() {}

  static String format(NodeSummary node) {
    final StringBuilder text = new StringBuilder();
    node.model().ifPresent(model -> appendModel(text, model));
    for (NodeSummary.Slot slot : node.slots()) {
      appendLine(text, "slot", slot.phases() + ": " + slot.kernels());
    }
    if (!node.slots().isEmpty()) appendMemory(text, node.slots());
    node.cluster().ifPresent(cluster -> appendCluster(text, cluster));
    appendLine(text, "address", node.address().toString());
    text.append('\n');
    node.cluster().ifPresent(cluster -> text.append("  ").append(join(cluster)).append('\n'));
    node.servedName()
        .ifPresent(name -> text.append("  ").append(curl(node.address(), name)).append('\n'));
    return text.append('\n').toString();
  }

  private static void appendModel(StringBuilder text, NodeSummary.Model model) {
    appendLine(
        text,
        "model",
        "%s: %s, %s parameters, %s"
            .formatted(
                model.servedName(),
                model.architecture(),
                Quantities.large(model.parameterCount()),
                model.format()));
    appendLine(text, "file", model.source());
    appendLine(text, "context", Quantities.grouped(model.contextLength()) + " tokens");
  }

  private static void appendCluster(StringBuilder text, NodeSummary.Cluster cluster) {
    appendLine(text, "node", cluster.nodeName() + ": " + cluster.roles());
    appendLine(text, "cluster", cluster.address());
    if (!cluster.transferBackends().isEmpty()) {
      appendLine(
          text,
          "transfer",
          String.join(", ", cluster.transferBackends()) + "; copies: " + cluster.copies());
    }
  }

  /** A line to paste into another shell: a further node of the same cluster. */
  static String join(NodeSummary.Cluster cluster) {
    return "stator join %s --role decode".formatted(cluster.address());
  }

  /** A line to paste into a shell: streams an answer. */
  public static String curl(URI address, String servedName) {
    final String body =
        "{\"model\":\"%s\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}"
            .formatted(
                new String(JsonStringEncoder.getInstance().quoteAsString(servedName)), PROMPT);
    return "curl -N %s/v1/chat/completions -H 'Content-Type: application/json' -d '%s'"
        .formatted(reachable(address), body.replace("'", "'\\''"));
  }

  /** The address as this machine reaches it: "all addresses" is none to connect to. */
  public static String reachable(URI address) {
    return switch (address.getHost()) {
      case "0.0.0.0" -> "http://127.0.0.1:" + address.getPort();
      case "[::]", "[0:0:0:0:0:0:0:0]" -> "http://[::1]:" + address.getPort();
      case null, default -> address.toString();
    };
  }

  private static void appendMemory(StringBuilder text, List<NodeSummary.Slot> slots) {
    long total = 0;
    String label = "memory";
    String sign = " ";
    for (int slot = 0; slot < slots.size(); slot++) {
      final String owner = slots.size() == 1 ? "" : "slot " + (slot + 1) + ", ";
      for (MemoryPlan.Term term : slots.get(slot).memory().terms()) {
        appendLine(text, label, amount(sign, term.bytes()) + "  " + owner + term.what());
        total += term.bytes();
        label = "";
        sign = "+";
      }
    }
    appendLine(text, label, amount("=", total));
  }

  private static String amount(String sign, long bytes) {
    return String.format(Locale.ROOT, "%s %11s", sign, Quantities.bytes(bytes));
  }

  private static void appendLine(StringBuilder text, String label, String value) {
    text.append(String.format(Locale.ROOT, "  %-10s%s\n", label, value));
  }
}
