package dev.stator.cli.chat;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What was said so far. One thread. */
final class Conversation {
  private record Message(String role, String content) {}

  private final List<Message> messages = new ArrayList<>();
  private Optional<String> system;

  Conversation(Optional<String> system) {
    this.system = system;
  }

  /** Sets what the model is told first, and forgets the rest. */
  void restart(Optional<String> system) {
    this.system = system;
    messages.clear();
  }

  Optional<String> system() {
    return system;
  }

  void add(String question, String answer) {
    messages.add(new Message("user", question));
    messages.add(new Message("assistant", answer));
  }

  /** The messages of a request that asks {@code question} next. */
  ArrayNode messagesWith(String question) {
    final ArrayNode array = JsonNodeFactory.instance.arrayNode();
    system.ifPresent(text -> append(array, new Message("system", text)));
    messages.forEach(message -> append(array, message));
    append(array, new Message("user", question));
    return array;
  }

  private static void append(ArrayNode array, Message message) {
    array.addObject().put("role", message.role()).put("content", message.content());
  }
}
