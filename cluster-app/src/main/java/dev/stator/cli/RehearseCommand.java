package dev.stator.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stator.cli.EngineOptions.NodePart;
import dev.stator.cli.client.OpenAiClient;
import dev.stator.cluster.NodeRole;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/**
 * {@code stator rehearse}: does once what servers do, alone and in a cluster of two, so that the
 * launcher can record which classes that takes.
 */
@Command(
    name = "rehearse",
    hidden = true,
    description = "Serve a short answer, alone and in a cluster, and end.",
    footer = {"", "Example:", "  stator rehearse"})
final class RehearseCommand implements Callable<Integer> {
  private static final Duration TIMEOUT = Duration.ofMinutes(2);
  private static final int ANSWER_TOKENS = 16;

  /** Long enough that computing it elsewhere is worth while. */
  private static final String PROMPT = "What is a token? ".repeat(40);

  private final CliContext context;

  @Mixin private EngineOptions engine;

  RehearseCommand(CliContext context) {
    this.context = context;
  }

  @Override
  public Integer call() {
    try (RunningNode alone = context.starter().start(settings(Optional.empty()))) {
      ask(alone);
    }
    try (RunningNode first = context.starter().start(settings(Optional.of(founder())))) {
      final String contact = first.summary().cluster().orElseThrow().address();
      try (RunningNode _ = context.starter().start(settings(Optional.of(member(contact))))) {
        ask(first);
      }
    }
    return 0;
  }

  private static ClusterMembership founder() {
    return membership("first", Set.of(NodeRole.DECODE, NodeRole.FRONTEND), true, List.of());
  }

  private static ClusterMembership member(String contact) {
    return membership("second", Set.of(NodeRole.PREFILL), false, List.of(contact));
  }

  private static ClusterMembership membership(
      String name, Set<NodeRole> roles, boolean founds, List<String> contacts) {
    return new ClusterMembership(
        name, roles, "127.0.0.1", 0, founds, contacts, 1, Optional.empty());
  }

  private NodeSettings settings(Optional<ClusterMembership> membership) {
    return engine.toSettings(
        context,
        new NodePart(
            Optional.of(new ModelLocator(context.home()).locate(null)),
            NodeSettings.Engine.CPU,
            Optional.empty(),
            AddressOptions.privateAddress(),
            0,
            0,
            1,
            membership));
  }

  private static void ask(RunningNode node) {
    final ObjectNode body = new ObjectMapper().createObjectNode();
    body.put("model", node.summary().servedName().orElseThrow());
    body.put("max_tokens", ANSWER_TOKENS).put("temperature", 0).put("stream", true);
    body.putArray("messages").addObject().put("role", "user").put("content", PROMPT);
    try (OpenAiClient client =
        new OpenAiClient(node.summary().address(), Optional.empty(), TIMEOUT)) {
      OpenAiClient.join(client.stream(OpenAiClient.CHAT_PATH, body, text -> {}));
    }
  }
}
