package dev.stator.cli;

import dev.stator.cli.chat.ChatSettings;
import java.util.Optional;
import picocli.CommandLine.Option;

/** How a chat's answers are made. */
final class ChatOptions {
  @Option(names = "--system", paramLabel = "TEXT", description = "What the model is told first.")
  private String system;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      description = "Sampling temperature; 0 is greedy. Default: the model's.")
  private Double temperature;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      description = "Nucleus sampling. Default: the model's.")
  private Double topP;

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      description = "Tokens of an answer at most. Default: as the context allows.")
  private Integer maxTokens;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "The same seed and questions give the same answers.")
  private Long seed;

  ChatSettings toSettings() {
    return new ChatSettings(Optional.ofNullable(system), temperature, topP, maxTokens, seed);
  }
}
