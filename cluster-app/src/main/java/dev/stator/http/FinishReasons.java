package dev.stator.http;

import dev.stator.engine.FinishReason;

/** OpenAI's names for why an answer ended. */
final class FinishReasons {
  static final String TOOL_CALLS = "tool_calls";

  private FinishReasons() {}

  /** The name; {@code null}, as JSON has it, for an answer that goes on. */
  static String label(FinishReason reason) {
    return switch (reason) {
      case STOP -> "stop";
      case LENGTH -> "length";
      case null -> null;
    };
  }

  /** The name for an answer that may have called tools. */
  static String label(FinishReason reason, boolean hasCalls) {
    return reason == FinishReason.STOP && hasCalls ? TOOL_CALLS : label(reason);
  }
}
