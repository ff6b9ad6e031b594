package dev.stator.model.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.typesafe.config.ConfigFactory;
import dev.stator.model.LoadedModel;
import dev.stator.model.ModelFormatException;
import dev.stator.model.text.ChatTemplate;
import dev.stator.model.text.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ModelCardsTest {
  private static final Path BUNDLED =
      Path.of(
          System.getProperty("stator.root"),
          "gpu-runtime/models/stator-tiny/stator-tiny-q8_0.gguf");
  private static final String TEXT = "The fox's 3 cubs, näive 狐.<|im_end|>";
  private static final ModelFileLimits LIMITS = ModelFileLimits.load();
  private static final Pattern SENTENCE = Pattern.compile("[^\\p{Cntrl}\\u2028\\u2029]{10,600}");

  @TempDir private Path folder;

  @Test
  void shouldCarryTheTextSideOfAGgufFile() {
    checkRoundTrip(BUNDLED);
  }

  @Test
  void shouldCarryTheTextSideOfAFolder() throws IOException {
    TinyModels.writeHuggingFace(folder.resolve("tiny"), "qwen2");
    checkRoundTrip(folder.resolve("tiny"));
  }

  @Test
  void shouldTakeATemplateFileOfItsOwnAlong() throws IOException {
    final Path model = folder.resolve("tiny");
    TinyModels.writeHuggingFace(model, "qwen2");
    Files.writeString(model.resolve("chat_template.jinja"), "{{ messages[0].content }}!");
    final ModelCard card = ModelCards.read(ModelCards.write(model, "tiny", 64));
    assertEquals("hi!", render(card.chatTemplate()));
  }

  @Test
  void shouldBeEqualForEqualModels() {
    assertArrayEquals(card(), card());
  }

  @Test
  void shouldBeSmallBesideTheWeights() throws IOException {
    final byte[] card = ModelCards.write(BUNDLED, "stator-tiny", 512);
    assertTrue(card.length < Files.size(BUNDLED) / 4, card.length + " bytes");
  }

  @Test
  void shouldRefuseACardThatIsCutAnywhere() {
    final byte[] card = card();
    for (int length = 0; length < card.length; length += 7) {
      refusal(Arrays.copyOf(card, length));
    }
  }

  @Test
  void shouldReadOrRefuseAnyBytesInOneSentence() {
    final byte[] original = card();
    final SplittableRandom random = new SplittableRandom(20_26);
    int refused = 0;
    for (int i = 0; i < 1000; i++) {
      try {
        ModelCards.read(Mutations.mutate(original, original.length, random));
      } catch (ModelFormatException expected) {
        assertTrue(SENTENCE.matcher(expected.getMessage()).matches(), expected.getMessage());
        refused++;
      }
    }
    assertTrue(refused > 100, refused + " refused");
  }

  @Test
  void shouldSayWhatIsWrongWithForeignBytes() {
    assertEquals(
        "the model card: it does not begin with 'SMCD'",
        refusal("This is no model card at all.".getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void shouldNameTheVersionOfACardFromTheFuture() {
    final byte[] card = card();
    card[7] = 9;
    assertEquals("the model card: its version is 9, expected 1", refusal(card));
  }

  @Test
  void shouldKeepToTheLimitOnBothSides() {
    final ModelFileLimits small =
        ModelFileLimits.from(
            ConfigFactory.parseMap(Map.of("card-bytes-max", 1000))
                .withFallback(ConfigFactory.load().getConfig("stator.model-files")));
    final byte[] card = card();
    final ModelFormatException failure =
        assertThrows(ModelFormatException.class, () -> ModelCards.read(card, small));
    assertTrue(failure.getMessage().contains("card-bytes-max"), failure.getMessage());
  }

  @Test
  void shouldRefuseANameWithControlCharacters() {
    final byte[] card = card();
    card[14] = 7;
    assertTrue(refusal(card).contains("is no plain text"), refusal(card));
  }

  @Test
  void shouldNameTheFileThatNoCardCanBeMadeOf() throws IOException {
    final Path broken = Files.writeString(folder.resolve("broken.gguf"), "GGUF and no more");
    final ModelFormatException failure =
        assertThrows(ModelFormatException.class, () -> ModelCards.write(broken, "broken", 8));
    assertTrue(failure.getMessage().startsWith("broken.gguf: "), failure.getMessage());
  }

  private static void checkRoundTrip(Path path) {
    final ModelCard card = ModelCards.read(ModelCards.write(path, "a name", 512));
    try (LoadedModel model = ModelFiles.open(path)) {
      assertEquals("a name", card.name());
      assertEquals(512, card.contextLength());
      assertArrayEquals(encode(model.tokenizer()), encode(card.tokenizer()));
      assertEquals(model.tokenizer().vocabularySize(), card.tokenizer().vocabularySize());
      assertEquals(model.defaults(), card.defaults());
      assertEquals(render(model.chatTemplate()), render(card.chatTemplate()));
    }
  }

  private static int[] encode(Tokenizer tokenizer) {
    return tokenizer.encode(TEXT, Tokenizer.SpecialText.PARSED);
  }

  private static String render(ChatTemplate template) {
    final JsonNode message =
        JsonNodeFactory.instance.objectNode().put("role", "user").put("content", "hi");
    return template.render(List.of(message), List.of(), true, Map.of());
  }

  private static byte[] card() {
    return ModelCards.write(BUNDLED, "stator-tiny", 512);
  }

  private static String refusal(byte[] card) {
    final ModelFormatException failure =
        assertThrows(ModelFormatException.class, () -> ModelCards.read(card, LIMITS));
    assertTrue(SENTENCE.matcher(failure.getMessage()).matches(), failure.getMessage());
    return failure.getMessage();
  }
}
