package dev.stator.cli;

import dev.stator.cli.chat.Chat;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code stator chat}: a conversation in the terminal. */
@Command(
    name = "chat",
    sortOptions = false,
    abbreviateSynopsis = true,
    description = {
      "Chat in the terminal, with a model started here or with any OpenAI-compatible server.",
      "In a pipe each line is a question, and the answers alone are printed."
    },
    footer = {
      "",
      "Examples:",
      "  stator chat",
      "  stator chat --url http://127.0.0.1:8080 --temperature 0",
      "  echo 'Tell me a story about a fox.' | stator chat"
    })
final class ChatCommand implements Callable<Integer> {
  static final Duration TIMEOUT = Duration.ofMinutes(30);

  private final CliContext context;

  @Spec private CommandSpec spec;

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "MODEL",
      description = "Without --url: the model to start here. Default: the bundled Stator Tiny.")
  private String model;

  @Mixin private ClientOptions server;
  @Mixin private ChatOptions chat;
  @Mixin private NodeOptions node;

  ChatCommand(CliContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws IOException {
    if (server.hasUrl() && model != null) {
      throw new UsageException("give MODEL or --url, not both; --model NAME names a remote model");
    }
    try (ClientOptions.Server target =
        server.connect(context, node, model, NodeSettings.Engine.MODEL, TIMEOUT)) {
      return run(context, spec, target, chat);
    }
  }

  static int run(
      CliContext context, CommandSpec spec, ClientOptions.Server target, ChatOptions options)
      throws IOException {
    final Chat.LineSource lines =
        context.isTerminal() ? () -> context.console().readLine("> ") : context.input()::readLine;
    final boolean answered =
        new Chat(
                target.client(),
                target.model(),
                options.toSettings(),
                lines,
                spec.commandLine().getOut(),
                spec.commandLine().getErr(),
                context.isTerminal())
            .run();
    return answered ? 0 : 1;
  }
}
