package dev.stator.multijvm.harness;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A request whose answer is a function of it alone: what one cluster answers, every other must.
 *
 * @param model the served name; {@code null} for the bundled one
 * @param logprobs whether the answer's log probabilities are compared, too
 */
public record Question(
    String model, String prompt, int maxTokens, double temperature, int seed, boolean logprobs) {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String BUNDLED = "stator-tiny-q8_0";
  private static final List<String> HEROES =
      List.of("fox", "lighthouse", "baker", "river", "robot", "owl", "garden", "sailor");

  /** A sampled story of exactly {@code maxTokens} tokens; each index asks for another one. */
  public static Question story(int index, int maxTokens) {
    final String hero = HEROES.get(index % HEROES.size());
    final String prompt =
        "<|im_start|>user\nTell me story number %d about a %s.<|im_end|>\n<|im_start|>assistant\n"
            .formatted(index, hero);
    return new Question(null, prompt, maxTokens, 0.8, 1000 + index, false);
  }

  /** {@code count} stories, from index {@code first} on. */
  public static List<Question> stories(int first, int count, int maxTokens) {
    return IntStream.range(first, first + count)
        .mapToObj(index -> story(index, maxTokens))
        .toList();
  }

  /**
   * {@code count} stories behind long prompts, from index {@code first} on. Indices that nobody
   * else has make prompts that no worker has cached.
   */
  public static List<Question> longStories(int first, int count, int words, int maxTokens) {
    return IntStream.range(first, first + count)
        .mapToObj(index -> longStory(index, words, maxTokens))
        .toList();
  }

  /** A story behind a prompt of about {@code words} words, which is long enough to send away. */
  public static Question longStory(int index, int words, int maxTokens) {
    final StringBuilder prompt = new StringBuilder("<|im_start|>user\n");
    for (int word = 0; word < words; word++) {
      prompt.append(HEROES.get((index + word * 7) % HEROES.size())).append(' ').append(index);
      prompt.append(word % 11 == 10 ? ".\n" : " ");
    }
    prompt.append("\nTell me a story.<|im_end|>\n<|im_start|>assistant\n");
    return new Question(null, prompt.toString(), maxTokens, 0.8, 5000 + index, false);
  }

  public Question withModel(String name) {
    return new Question(name, prompt, maxTokens, temperature, seed, logprobs);
  }

  public Question withLogprobs() {
    return new Question(model, prompt, maxTokens, temperature, seed, true);
  }

  /** As {@code POST /v1/completions} wants it, streamed. */
  String body() {
    final ObjectNode body = JSON.createObjectNode();
    body.put("model", model == null ? BUNDLED : model);
    body.put("prompt", prompt);
    body.put("max_tokens", maxTokens);
    body.put("temperature", temperature);
    body.put("seed", seed);
    body.put("ignore_eos", true);
    body.put("stream", true);
    body.putObject("stream_options").put("include_usage", true);
    if (logprobs) body.put("logprobs", 2);
    return body.toString();
  }
}
