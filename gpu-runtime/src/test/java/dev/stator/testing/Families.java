package dev.stator.testing;

import dev.stator.model.AttentionVariant;
import dev.stator.model.FeedForwardVariant;
import dev.stator.model.FeedForwardVariant.Activation;
import dev.stator.model.ModelConfig;
import dev.stator.model.ModelConfig.RopeLayout;
import dev.stator.model.ResidualVariant;
import dev.stator.model.RopeScaling;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;

/** Small shapes of the families whose layers are not the plain ones. */
public final class Families {
  private static final int LAYERS = 3;

  private Families() {}

  public static Stream<Named<ModelConfig>> all() {
    return Stream.of(
        Named.of("sliding window", window(9, 0, List.of(true, true, true))),
        Named.of("a window of one", window(1, 0, List.of(true, false, true))),
        Named.of("a window of its own rotation", window(20, 500, List.of(false, true, true))),
        Named.of("gemma 2", gemma2()),
        Named.of("mixtral", mixtral()),
        Named.of("qwen 2 mixture", experts(new FeedForwardVariant.Experts(4, 3, 32, false, 64))),
        Named.of("partly rotated", partlyRotated()),
        Named.of("yarn", scaled(new RopeScaling.Yarn(4, 16, 1, 32, 1.2f, true))),
        Named.of("yarn, a ramp of fractions", scaled(new RopeScaling.Yarn(8, 9, 2, 40, 1, false))),
        Named.of("long rope", scaled(longRope())));
  }

  public static ModelConfig mixtral() {
    return experts(new FeedForwardVariant.Experts(5, 2, 96, true, 0));
  }

  private static ModelConfig plain(RopeScaling scaling) {
    return new ModelConfig(
        "test",
        LAYERS,
        96,
        160,
        6,
        2,
        32,
        77,
        64,
        1e-6f,
        10_000f,
        scaling,
        RopeLayout.HALVES,
        false,
        false,
        true);
  }

  private static ModelConfig scaled(RopeScaling scaling) {
    return plain(scaling);
  }

  private static RopeScaling longRope() {
    final float[] some = new float[16];
    final float[] others = new float[16];
    for (int i = 0; i < some.length; i++) {
      some[i] = 1 + i / 16f;
      others[i] = 1 + i;
    }
    return new RopeScaling.LongRope(some, others, 32, 1.1f);
  }

  private static ModelConfig window(int length, float theta, List<Boolean> layers) {
    final var window = new AttentionVariant.Window(length, layers, theta);
    return plain(new RopeScaling.Linear(2))
        .with(
            new AttentionVariant(0, 0, 0, window), FeedForwardVariant.PLAIN, ResidualVariant.PLAIN);
  }

  private static ModelConfig partlyRotated() {
    return plain(new RopeScaling.None())
        .with(
            new AttentionVariant(0, 0, 24, null), FeedForwardVariant.PLAIN, ResidualVariant.PLAIN);
  }

  public static ModelConfig gemma2() {
    final var window = new AttentionVariant.Window(11, List.of(true, false, true), 0);
    return plain(new RopeScaling.None())
        .with(
            new AttentionVariant(0.2f, 5, 0, window),
            new FeedForwardVariant(Activation.GELU_TANH, null),
            new ResidualVariant((float) Math.sqrt(96), 1, true, 3));
  }

  public static ModelConfig experts(FeedForwardVariant.Experts experts) {
    return plain(new RopeScaling.None())
        .with(
            AttentionVariant.PLAIN,
            new FeedForwardVariant(Activation.SILU, experts),
            ResidualVariant.PLAIN);
  }
}
