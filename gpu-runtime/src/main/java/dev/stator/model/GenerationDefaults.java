package dev.stator.model;

import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;

/**
 * What the model's makers advise, used where a request is silent.
 *
 * @param endTokenIds tokens that end an answer
 * @param pooling how embeddings are made; empty where the files do not say
 */
public record GenerationDefaults(
    Set<Integer> endTokenIds,
    OptionalDouble temperature,
    OptionalDouble topP,
    OptionalInt topK,
    Optional<Pooling> pooling) {
  public GenerationDefaults {
    endTokenIds = Set.copyOf(endTokenIds);
  }

  /** Of files that do not speak of embeddings. */
  public GenerationDefaults(
      Set<Integer> endTokenIds, OptionalDouble temperature, OptionalDouble topP, OptionalInt topK) {
    this(endTokenIds, temperature, topP, topK, Optional.empty());
  }

  /** The same with another pooling. */
  public GenerationDefaults with(Optional<Pooling> newPooling) {
    return new GenerationDefaults(endTokenIds, temperature, topP, topK, newPooling);
  }
}
