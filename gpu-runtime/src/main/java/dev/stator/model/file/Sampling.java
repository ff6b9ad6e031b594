package dev.stator.model.file;

import dev.stator.model.GenerationDefaults;
import dev.stator.model.ModelFormatException;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;

/** What a model's makers advise for sampling, checked. */
record Sampling(OptionalDouble temperature, OptionalDouble topP, OptionalInt topK) {
  static final Sampling NONE =
      new Sampling(OptionalDouble.empty(), OptionalDouble.empty(), OptionalInt.empty());

  Sampling {
    if (temperature.isPresent()
        && !(temperature.getAsDouble() >= 0 && temperature.getAsDouble() <= 100)) {
      throw new ModelFormatException(
          "the advised temperature is " + temperature.getAsDouble() + ", expected 0 to 100");
    }
    if (topP.isPresent() && !(topP.getAsDouble() > 0 && topP.getAsDouble() <= 1)) {
      throw new ModelFormatException(
          "the advised top_p is " + topP.getAsDouble() + ", expected above 0, up to 1");
    }
    if (topK.isPresent() && topK.getAsInt() <= 0)
      topK = OptionalInt.empty(); // 0 and -1 mean all tokens.
  }

  GenerationDefaults with(Set<Integer> endTokenIds) {
    return new GenerationDefaults(endTokenIds, temperature, topP, topK);
  }
}
