package dev.stator.http;

import com.typesafe.config.Config;
import dev.stator.model.GenerationDefaults;
import dev.stator.model.Pooling;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/** {@code stator.http}, checked. Each key is explained in {@code reference.conf}. */
public record HttpSettings(
    String host,
    int port,
    int connectionsMax,
    int requestsMax,
    int bodyBytesMax,
    Duration bodyTimeout,
    Duration requestTimeout,
    Duration idleTimeout,
    Duration connectionIdleTimeout,
    Duration keepAliveInterval,
    Duration retryAfter,
    Duration drainTimeout,
    boolean isRemoteAdminAllowed,
    Cors cors,
    EmbeddingPooling embeddingPooling,
    RequestLimits limits) {

  /** How embeddings are made. */
  public enum EmbeddingPooling {
    /** As the model's files say, else {@link #LAST}. */
    AUTO,
    MEAN,
    LAST;

    static EmbeddingPooling of(String name) {
      for (EmbeddingPooling pooling : values()) {
        if (pooling.name().toLowerCase(Locale.ROOT).equals(name)) return pooling;
      }
      throw new IllegalArgumentException(
          "stator.http.embedding-pooling must be auto, mean or last: " + name);
    }

    /** What is in force for a model. */
    Pooling of(GenerationDefaults model) {
      return switch (this) {
        case AUTO -> model.pooling().orElse(Pooling.LAST);
        case MEAN -> Pooling.MEAN;
        case LAST -> Pooling.LAST;
      };
    }
  }

  /**
   * Cross-origin requests.
   *
   * @param allowedOrigins exact origins, or {@code *} for any
   */
  public record Cors(boolean enabled, List<String> allowedOrigins, Duration maxAge) {
    public Cors {
      allowedOrigins = List.copyOf(allowedOrigins);
    }

    static Cors from(Config config) {
      return new Cors(
          config.getBoolean("enabled"),
          config.getStringList("allowed-origins"),
          config.getDuration("max-age"));
    }
  }

  /**
   * @throws IllegalArgumentException naming the key, when a value is out of range or two contradict
   *     each other
   */
  public HttpSettings {
    requireRange("port", port, 0, 65_535);
    requireRange("connections-max", connectionsMax, 1, 1 << 20);
    requireRange("requests-max", requestsMax, 1, connectionsMax);
    requireRange("body-max", bodyBytesMax, 1, 1 << 30);
    requirePositive("body-timeout", bodyTimeout);
    requirePositive("request-timeout", requestTimeout);
    requirePositive("connection-idle-timeout", connectionIdleTimeout);
    requirePositive("keep-alive-interval", keepAliveInterval);
    requirePositive("retry-after", retryAfter);
    requirePositive("drain-timeout", drainTimeout);
    if (idleTimeout.compareTo(requestTimeout) < 0) {
      throw new IllegalArgumentException(
          "stator.http.idle-timeout (%s) must not be less than stator.http.request-timeout (%s)"
              .formatted(idleTimeout, requestTimeout));
    }
  }

  /** Reads the section {@code stator.http}. */
  public static HttpSettings from(Config config) {
    return new HttpSettings(
        config.getString("host"),
        config.getInt("port"),
        config.getInt("connections-max"),
        config.getInt("requests-max"),
        bytes(config, "body-max"),
        config.getDuration("body-timeout"),
        config.getDuration("request-timeout"),
        config.getDuration("idle-timeout"),
        config.getDuration("connection-idle-timeout"),
        config.getDuration("keep-alive-interval"),
        config.getDuration("retry-after"),
        config.getDuration("drain-timeout"),
        config.getBoolean("admin.allow-remote"),
        Cors.from(config.getConfig("cors")),
        EmbeddingPooling.of(config.getString("embedding-pooling")),
        RequestLimits.from(config.getConfig("limits")));
  }

  private static int bytes(Config config, String key) {
    return (int) Math.min(config.getBytes(key), Integer.MAX_VALUE);
  }

  static void requireRange(String key, int value, int min, int max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          "stator.http.%s must be between %d and %d: %d".formatted(key, min, max, value));
    }
  }

  private static void requirePositive(String key, Duration value) {
    if (value.isZero() || value.isNegative()) {
      throw new IllegalArgumentException(
          "stator.http.%s must be positive: %s".formatted(key, value));
    }
  }
}
