package dev.stator.model.text;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a tokenizer is built from when a model file carries it as keys and values: GGUF's {@code
 * tokenizer.ggml.*}. Keys are whole names, such as {@code tokenizer.ggml.tokens}. An absent key is
 * empty; a key of another type than the one asked for throws {@link
 * dev.stator.model.ModelFormatException}. Strings are decoded as UTF-8, broken bytes as U+FFFD.
 */
public interface TokenizerMetadata {
  Optional<String> string(String key);

  /** Any integer type, signed or not. */
  OptionalLong integer(String key);

  Optional<Boolean> flag(String key);

  /** Empty when absent. The list is not changed afterwards and may be kept. */
  List<String> strings(String key);

  /** Empty when absent; 32-bit or narrower integer types. The caller does not change the array. */
  int[] ints(String key);

  /** Empty when absent. The caller does not change the array. */
  float[] floats(String key);
}
