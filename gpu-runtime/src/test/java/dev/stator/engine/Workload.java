package dev.stator.engine;

import dev.stator.device.Device;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * Random requests that share prefixes, repeat each other and use every sampling parameter.
 *
 * @param devices makes a device with at least this many blocks; all of equal numerics
 * @param promptMax tokens of the longest prompt
 * @param answerMax tokens of the longest answer
 */
record Workload(Devices devices, Set<Integer> endTokenIds, int promptMax, int answerMax) {
  /** Makes devices that compute equal bits. */
  interface Devices {
    Device create(int blockCount);
  }

  /** A request's whole answer. */
  record Answer(List<SampledToken> tokens, FinishReason finish) {}

  List<GenerationRequest> requests(Random random, int count, int vocabularySize) {
    final List<int[]> stems = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      stems.add(random.ints(promptMax, 0, vocabularySize).toArray());
    }
    final List<GenerationRequest> requests = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      final boolean isSibling = i > 0 && random.nextInt(4) == 0;
      final int[] prompt =
          isSibling
              ? requests.getLast().tokens()
              : prompt(random, stems.get(random.nextInt(stems.size())), vocabularySize);
      final String salt = random.nextInt(8) == 0 ? "tenant" : "";
      requests.add(
          new GenerationRequest(
              new RequestId("request-" + i),
              prompt,
              prompt.length,
              sampling(random, vocabularySize),
              salt));
    }
    return requests;
  }

  private int[] prompt(Random random, int[] stem, int vocabularySize) {
    final int start = random.nextInt(3) == 0 ? random.nextInt(stem.length) : 0; // Elsewhere.
    final int length = 1 + random.nextInt(stem.length - start);
    final int[] prompt = Arrays.copyOfRange(stem, start, start + length);
    final int kept = random.nextInt(prompt.length + 1);
    for (int i = kept; i < prompt.length && random.nextInt(3) > 0; i++) {
      prompt[i] = random.nextInt(vocabularySize);
    }
    return prompt;
  }

  private SamplingParams sampling(Random random, int vocabularySize) {
    final boolean isGreedy = random.nextInt(3) == 0;
    final Map<Integer, Float> bias = new HashMap<>();
    for (int i = random.nextInt(8) - 5; i > 0; i--) {
      bias.put(random.nextInt(vocabularySize), random.nextFloat() * 8 - 4);
    }
    final int maxTokens = 1 + random.nextInt(answerMax);
    final boolean logprobs = random.nextBoolean();
    return new SamplingParams(
        isGreedy ? 0 : pick(random, 0.3f, 1f, 1.8f),
        (int) pick(random, 0, 0, 1, 5, 40),
        pick(random, 1, 1, 0.95f, 0.4f),
        pick(random, 0, 0, 0.1f),
        pick(random, 1, 1, 1.2f),
        pick(random, 0, 0, 0.7f),
        pick(random, 0, 0, 0.3f),
        bias,
        random.nextLong(),
        maxTokens,
        random.nextInt(4) == 0 ? random.nextInt(maxTokens + 1) : 0,
        random.nextInt(3) == 0 ? Set.of(random.nextInt(vocabularySize)) : Set.of(),
        random.nextInt(4) == 0,
        logprobs,
        logprobs ? random.nextInt(4) : 0,
        "");
  }

  private static float pick(Random random, float... choices) {
    return choices[random.nextInt(choices.length)];
  }

  /** The answer of a request that has a fresh engine to itself and its whole prompt in one step. */
  Answer alone(GenerationRequest request, Device device) {
    final EngineSettings settings = new EngineSettings(4096, 4096, 1, 1, 64, 1, 4096, 0);
    final LocalEngine engine = new LocalEngine(device, settings, endTokenIds);
    if (!(engine.submit(request) instanceof Admission.Admitted)) {
      throw new AssertionError("refused: " + engine.submit(request));
    }
    final List<SampledToken> tokens = new ArrayList<>();
    FinishReason finish = null;
    while (engine.hasWork()) {
      for (StepReport.Progress progress : engine.step().progress()) {
        tokens.addAll(progress.tokens());
        finish = progress.finish();
      }
    }
    return new Answer(tokens, finish);
  }

  /** The same request as it arrives at another worker after its first tokens. */
  static GenerationRequest moved(GenerationRequest request, Answer answer, int tokenCount) {
    final int[] tokens = Arrays.copyOf(request.tokens(), request.promptLength() + tokenCount);
    for (int i = 0; i < tokenCount; i++) {
      tokens[request.promptLength() + i] = answer.tokens().get(i).tokenId();
    }
    return new GenerationRequest(
        request.id(), tokens, request.promptLength(), request.sampling(), request.cacheSalt());
  }
}
