package dev.stator.http.tools;

import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * Ids for tool calls: nine letters and digits, because Mistral's chat templates accept no others
 * when a client sends the call back.
 */
public final class ToolCallIds {
  private static final int LENGTH = 9;
  private static final String ALPHABET =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

  private ToolCallIds() {}

  /** A generator over {@code random}; as safe for threads as that is. */
  public static Supplier<String> from(RandomGenerator random) {
    return () -> {
      final StringBuilder id = new StringBuilder(LENGTH);
      for (int i = 0; i < LENGTH; i++) {
        id.append(ALPHABET.charAt(random.nextInt(ALPHABET.length())));
      }
      return id.toString();
    };
  }
}
