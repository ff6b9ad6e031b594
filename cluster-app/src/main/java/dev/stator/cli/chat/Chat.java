package dev.stator.cli.chat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stator.cli.client.Completion;
import dev.stator.cli.client.EndpointException;
import dev.stator.cli.client.OpenAiClient;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.Optional;

/**
 * Reads a line, streams its answer, until {@code /exit} or the end of input. On a terminal it
 * prompts and shows figures; in a pipe the answers alone go to the output. One thread.
 */
public final class Chat {
  private static final String HELP =
      """
      /reset          forget the conversation
      /system TEXT    tell the model what to be, and start again; without TEXT: nothing
      /exit           leave (also /quit, Ctrl-D)\
      """;

  /** Where lines come from. */
  public interface LineSource {
    /** The next line; {@code null} at the end of input. */
    String readLine() throws IOException;
  }

  private final OpenAiClient client;
  private final String model;
  private final ChatSettings settings;
  private final LineSource lines;
  private final PrintWriter out;
  private final PrintWriter err;
  private final boolean terminal;
  private final Conversation conversation;
  private boolean failed;

  public Chat(
      OpenAiClient client,
      String model,
      ChatSettings settings,
      LineSource lines,
      PrintWriter out,
      PrintWriter err,
      boolean terminal) {
    this.client = client;
    this.model = model;
    this.settings = settings;
    this.lines = lines;
    this.out = out;
    this.err = err;
    this.terminal = terminal;
    this.conversation = new Conversation(settings.system());
  }

  /**
   * Chats to the end.
   *
   * @return whether every question got its answer
   */
  public boolean run() throws IOException {
    if (terminal) say("Chatting with " + model + ". /help lists the commands.");
    String line;
    while ((line = lines.readLine()) != null) {
      final String text = line.strip();
      if (text.isEmpty()) continue;
      if (text.matches("/(exit|quit)")) break;
      if (text.startsWith("/")) {
        obey(text);
      } else {
        ask(text);
      }
    }
    return !failed;
  }

  private void obey(String text) {
    final String[] words = text.split("\\s+", 2);
    switch (words[0]) {
      case "/reset" -> conversation.restart(conversation.system());
      case "/system" ->
          conversation.restart(words.length > 1 ? Optional.of(words[1]) : Optional.empty());
      case "/help" -> say(HELP);
      default -> {
        failed = !terminal;
        complain("no command " + words[0] + "; /help lists the commands");
      }
    }
  }

  private void ask(String question) {
    final ObjectNode body = JsonNodeFactory.instance.objectNode();
    body.put("model", model).put("stream", true);
    body.set("messages", conversation.messagesWith(question));
    body.putObject("stream_options").put("include_usage", true);
    settings.putInto(body);
    final StringBuilder answer = new StringBuilder();
    final long startNs = System.nanoTime();
    final long[] firstNs = new long[1];
    try {
      final Completion completion =
          OpenAiClient.join(
              client.stream(
                  OpenAiClient.CHAT_PATH,
                  body,
                  text -> {
                    if (firstNs[0] == 0) firstNs[0] = System.nanoTime();
                    answer.append(text);
                    out.print(text);
                    out.flush();
                  }));
      say("");
      conversation.add(question, answer.toString());
      if (terminal) showFigures(completion, firstNs[0] - startNs, System.nanoTime() - firstNs[0]);
    } catch (EndpointException failure) {
      failed |= !terminal;
      if (!answer.isEmpty()) say("");
      complain(failure.getMessage());
    }
  }

  private void showFigures(Completion completion, long ttftNs, long restNs) {
    if (completion.usage() == null || completion.usage().completionTokens() < 2) return;
    final int tokens = completion.usage().completionTokens();
    say(
        String.format(
            Locale.ROOT,
            "\033[2m%d tokens, first after %d ms, then %.1f a second%s\033[0m",
            tokens,
            ttftNs / 1_000_000,
            (tokens - 1) / (restNs / 1e9),
            completion.finishReason().equals("length") ? "; cut at its limit" : ""));
  }

  private void say(String text) {
    out.println(text);
    out.flush();
  }

  private void complain(String text) {
    err.println("error: " + text);
    err.flush();
  }
}
