package dev.stator.device;

import com.typesafe.config.Config;
import java.util.Arrays;
import java.util.Locale;

/** Which kind of device computes a model's steps, {@code stator.device.kind}. */
public enum DeviceKind {
  /** A GPU where one can be used for the model, else the CPU. */
  AUTO,
  CPU,
  /** An NVIDIA GPU; where none can be used for the model, no device is made. */
  CUDA;

  private static final String KEY = "stator.device.kind";

  /** Reads {@code stator.device.kind}. */
  public static DeviceKind from(Config root) {
    final String text = root.getString(KEY);
    return Arrays.stream(values())
        .filter(kind -> kind.text().equals(text))
        .findFirst()
        .orElseThrow(() ->
            new IllegalArgumentException(KEY + " is '" + text + "', expected auto, cpu or cuda"));
  }

  /** As it is written in the configuration. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }
}
