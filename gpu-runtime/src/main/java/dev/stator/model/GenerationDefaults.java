package dev.stator.model;

import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;

/**
 * What the model's makers advise, used where a request is silent.
 *
 * @param endTokenIds tokens that end an answer
 */
public record GenerationDefaults(
    Set<Integer> endTokenIds, OptionalDouble temperature, OptionalDouble topP, OptionalInt topK) {
  public GenerationDefaults {
    endTokenIds = Set.copyOf(endTokenIds);
  }
}
