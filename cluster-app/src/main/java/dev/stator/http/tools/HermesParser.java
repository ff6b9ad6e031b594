package dev.stator.http.tools;

import java.util.Set;
import java.util.function.Supplier;

/** {@link ToolCallFormat#HERMES}. A call without its end tag counts: some models leave it out. */
final class HermesParser extends MarkerParser {
  private static final String BEGIN = "<tool_call>";
  private static final String END = "</tool_call>";

  /** Characters of the end tag that have come. */
  private int matched;

  HermesParser(Set<String> toolNames, Supplier<String> ids) {
    super(toolNames, ids, BEGIN, false);
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
    matched = 0;
    become(this::closing, true);
  }

  private void closing(char c) {
    if (c == END.charAt(matched)) {
      hold(c);
      matched++;
      if (matched == END.length()) {
        drop();
        between();
      }
    } else if (matched == 0 && isSeparator(c)) {
      hold(c);
    } else {
      rereadBetween(c);
    }
  }
}
