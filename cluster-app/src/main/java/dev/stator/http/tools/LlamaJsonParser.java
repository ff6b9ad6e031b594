package dev.stator.http.tools;

import java.util.Set;
import java.util.function.Supplier;

/** {@link ToolCallFormat#LLAMA_JSON}. */
final class LlamaJsonParser extends MarkerParser {
  private static final String BEGIN = "<|python_tag|>";

  LlamaJsonParser(Set<String> toolNames, Supplier<String> ids) {
    super(toolNames, ids, BEGIN, true);
    become(this::start, false);
  }

  /** Only here, and between calls, does an object need no marker. */
  private void start(char c) {
    if (CallReader.isSpace(c)) {
      hold(c);
    } else if (c == '{') {
      startCall(c);
    } else {
      release(c);
    }
  }

  @Override
  void opening(char c) {
    if (c == '{') {
      startCall(c);
    } else {
      release(c);
    }
  }

  @Override
  void callDone() {
    between();
  }

  @Override
  boolean isSeparator(char c) {
    return c == ';' || super.isSeparator(c);
  }

  @Override
  void strayAfterCall(char c) {
    opening(c);
  }
}
