package dev.stator.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * One conversation of {@code golden.json}: computed by PyTorch in float32 from the bfloat16
 * weights.
 */
public record Golden(String name, int[] prompt, int[] topIds, float[] topLogits, int[] greedy) {
  public static List<Golden> all() throws IOException {
    final JsonNode root =
        new ObjectMapper().readTree(TestModels.shared("models/golden.json").toFile());
    final List<Golden> all = new ArrayList<>();
    for (JsonNode c : root.get("cases")) {
      final float[] logits = new float[c.get("top_logits").size()];
      for (int i = 0; i < logits.length; i++) logits[i] = c.get("top_logits").get(i).floatValue();
      all.add(
          new Golden(
              c.get("messages").get(0).get("content").asText(),
              ints(c.get("prompt_ids")),
              ints(c.get("top_ids")),
              logits,
              ints(c.get("greedy_ids"))));
    }
    return all;
  }

  private static int[] ints(JsonNode array) {
    final int[] values = new int[array.size()];
    for (int i = 0; i < values.length; i++) values[i] = array.get(i).intValue();
    return values;
  }
}
