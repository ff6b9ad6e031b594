package dev.stator.cli.cluster;

import dev.stator.cli.client.OpenAiClient;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** What a frontend offers its clients. */
record ServedNames(URI address) {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  /** The first model's name; empty text when there is none. */
  String first() {
    try (OpenAiClient client = new OpenAiClient(address, Optional.empty(), TIMEOUT)) {
      final List<String> names = client.models();
      return names.isEmpty() ? "" : names.getFirst();
    }
  }
}
