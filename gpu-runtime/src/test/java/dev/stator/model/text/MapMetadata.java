package dev.stator.model.text;

import dev.stator.model.ModelFormatException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** Metadata from a map; the values are of the types that {@link TokenizerMetadata} gives. */
record MapMetadata(Map<String, Object> values) implements TokenizerMetadata {
  @Override
  public Optional<String> string(String key) {
    return value(key, String.class);
  }

  @Override
  public OptionalLong integer(String key) {
    return value(key, Long.class).map(OptionalLong::of).orElse(OptionalLong.empty());
  }

  @Override
  public Optional<Boolean> flag(String key) {
    return value(key, Boolean.class);
  }

  @Override
  public List<String> strings(String key) {
    final List<?> strings = value(key, List.class).orElse(List.of());
    return strings.stream().map(String.class::cast).toList();
  }

  @Override
  public int[] ints(String key) {
    return value(key, int[].class).orElse(new int[0]);
  }

  @Override
  public float[] floats(String key) {
    return value(key, float[].class).orElse(new float[0]);
  }

  private <T> Optional<T> value(String key, Class<T> type) {
    final Object value = values.get(key);
    if (value != null && !type.isInstance(value)) {
      throw new ModelFormatException(key + " is not of the type " + type.getSimpleName());
    }
    return Optional.ofNullable(type.cast(value));
  }
}
