package dev.stator.http.tools;

import java.util.Set;
import java.util.function.Supplier;

/**
 * {@link ToolCallFormat#MISTRAL}.
 *
 * <pre>
 *   opening ──[──▶ item ──{...}──▶ afterItem ──,──▶ item
 *      │                              └──]──▶ after
 *      ├──{...}──▶ after
 *      └──letter──▶ name ──[ARGS] | [CALL_ID]id[ARGS]──▶ arguments ──{...}──▶ after
 * </pre>
 */
final class MistralParser extends MarkerParser {
  private static final String BEGIN = "[TOOL_CALLS]";
  private static final String ARGUMENTS_TAG = "[ARGS]";
  private static final String ID_TAG = "[CALL_ID]";
  private static final int NAME_CHARS_MAX = 256;

  private final StringBuilder name = new StringBuilder();
  private final StringBuilder tag = new StringBuilder();
  private boolean inList;
  private JsonSpan arguments;

  MistralParser(Set<String> toolNames, Supplier<String> ids) {
    super(toolNames, ids, BEGIN, false);
  }

  @Override
  void opening(char c) {
    inList = c == '[';
    name.setLength(0);
    if (inList) {
      hold(c);
      become(this::item, false);
    } else if (c == '{') {
      startCall(c);
    } else if (isNameChar(c)) {
      become(this::name, false);
      name(c);
    } else {
      release(c);
    }
  }

  private void item(char c) {
    if (isSeparator(c)) {
      hold(c);
    } else if (c == '{') {
      startCall(c);
    } else {
      release(c);
    }
  }

  @Override
  void callDone() {
    if (inList) {
      become(this::afterItem, true);
    } else {
      between();
    }
  }

  private void afterItem(char c) {
    if (isSeparator(c)) {
      hold(c);
    } else if (c == ',') {
      hold(c);
      become(this::item, true);
    } else if (c == ']') {
      drop();
      between();
    } else {
      release(c);
    }
  }

  private static boolean isNameChar(char c) {
    return (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || c == '_'
        || c == '-'
        || c == '.';
  }

  private void name(char c) {
    if (isNameChar(c) && name.length() < NAME_CHARS_MAX) {
      name.append(c);
      hold(c);
    } else {
      become(this::nameEnd, false);
      nameEnd(c);
    }
  }

  private void nameEnd(char c) {
    if (!toolNames().contains(name.toString())) {
      release(c);
    } else if (c == '[') {
      startTag(c);
    } else {
      beforeArguments(c);
    }
  }

  private void startTag(char c) {
    tag.setLength(0);
    become(this::tag, false);
    tag(c);
  }

  private void tag(char c) {
    tag.append(c);
    if (!ARGUMENTS_TAG.startsWith(tag.toString()) && !ID_TAG.startsWith(tag.toString())) {
      release(c);
      return;
    }
    hold(c);
    if (c == ']') {
      become(tag.charAt(1) == 'A' ? this::beforeArguments : this::callId, false);
    }
  }

  /** The model's own id, which nobody needs. */
  private void callId(char c) {
    if (c == '[') {
      startTag(c);
    } else if (isNameChar(c)) {
      hold(c);
    } else {
      release(c);
    }
  }

  private void beforeArguments(char c) {
    if (isSeparator(c)) {
      hold(c);
    } else if (c == '{') {
      drop();
      out().startCall(name.toString());
      out().arguments("{");
      arguments = new JsonSpan(c);
      become(this::arguments, false);
    } else {
      release(c);
    }
  }

  private void arguments(char c) {
    final JsonSpan.Progress progress = arguments.accept(c);
    if (progress == JsonSpan.Progress.BROKEN) {
      release(c);
      return;
    }
    out().arguments(String.valueOf(c));
    if (progress == JsonSpan.Progress.LAST) {
      between();
    }
  }
}
