package dev.stator.cli;

import java.util.List;

/**
 * The words of {@code stator run}, sorted out.
 *
 * @param input {@code http}, {@code text} or {@code batch:FILE}
 * @param model {@code null} for the bundled one
 */
record RunWords(String input, NodeSettings.Engine engine, String model) {
  /**
   * @throws UsageException when a word is given twice, missing or not known
   */
  static RunWords parse(List<String> words) {
    String input = null;
    String engine = null;
    String model = null;
    for (String word : words) {
      if (word.startsWith("in=")) {
        input = once(input, word, "in=");
      } else if (word.startsWith("out=")) {
        engine = once(engine, word, "out=");
      } else {
        model = once(model, word, "");
      }
    }
    if (input == null)
      throw new UsageException("an input is missing: in=http, in=text or in=batch:FILE");
    if (!input.matches("http|text|batch:.+")) {
      throw new UsageException("in= wants http, text or batch:FILE: '" + input + "'");
    }
    return new RunWords(input, engine(engine), model);
  }

  private static NodeSettings.Engine engine(String name) {
    return switch (name) {
      case "cpu" -> NodeSettings.Engine.CPU;
      case "echo" -> NodeSettings.Engine.ECHO;
      case null -> NodeSettings.Engine.CPU;
      default -> throw new UsageException("out= wants cpu or echo: '" + name + "'");
    };
  }

  private static String once(String before, String word, String prefix) {
    if (before != null) {
      throw new UsageException("given twice: " + prefix + before + " and " + word);
    }
    return word.substring(prefix.length());
  }
}
