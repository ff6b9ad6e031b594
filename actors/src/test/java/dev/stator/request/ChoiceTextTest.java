package dev.stator.request;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.engine.FinishReason;
import dev.stator.engine.RequestId;
import dev.stator.engine.SampledToken;
import dev.stator.engine.SampledToken.Alternative;
import dev.stator.engine.SamplingParams;
import dev.stator.protocol.WorkerAnswer.SequenceTokens;
import dev.stator.testing.WordTokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ChoiceTextTest {
  private static final WordTokenizer WORDS = new WordTokenizer(65);
  private static final int LEAD = 6; // Half of an é, as is the next.
  private static final int TAIL = 13;
  private static final int END = 64;

  @Test
  void shouldShowOnlyWholeCharacters() {
    final ChoiceText text = text(0, false);
    assertEquals("", text.accept(tokens(null, LEAD)).text());
    assertEquals("é", text.accept(tokens(null, TAIL)).text());
    assertEquals("", text.accept(tokens(null, LEAD)).text());
    assertEquals("\uFFFD", text.accept(tokens(FinishReason.STOP, END)).text());
    assertEquals(4, text.tokenCount());
  }

  @Test
  void shouldCountTheStopTokenButNotShowIt() {
    final ChoiceText text = text(0, true);
    final ChoiceText.News news = text.accept(tokens(FinishReason.STOP, 1, 2));
    assertEquals(WORDS.decode(new int[] {1}, true), news.text());
    assertEquals(2, news.tokenCount());
    assertEquals(1, news.logprobs().size());
    assertEquals(FinishReason.STOP, news.finish());
  }

  @Test
  void shouldShowSpecialTokensOnlyWhenAskedAndNeverTheLast() {
    final int[] ids = {1, END, END};
    assertEquals(
        WORDS.decode(new int[] {1}, false),
        text(0, false).accept(tokens(FinishReason.STOP, ids)).text());
    final var asked =
        new GenerationCall(
            "r", "m", new int[] {1}, SamplingParams.greedy(9), 1, List.of(), "", true, false);
    assertEquals(
        WORDS.decode(new int[] {1, END}, false),
        new ChoiceText(WORDS, asked).accept(tokens(FinishReason.STOP, ids)).text());
  }

  @Test
  void shouldShowTheLastTokenWhenTheLengthIsReached() {
    final ChoiceText.News news = text(0, false).accept(tokens(FinishReason.LENGTH, 1, 2));
    assertEquals(WORDS.decode(new int[] {1, 2}, true), news.text());
    assertEquals(FinishReason.LENGTH, news.finish());
    assertTrue(news.logprobs().isEmpty());
  }

  @Test
  void shouldSpellLogprobs() {
    final var token = new SampledToken(LEAD, -0.5f, List.of(new Alternative(1, -1.5f)));
    final var sequence = new SequenceTokens(new RequestId("r/0"), 0, 0, List.of(token), null, 0);
    final var logprob = text(0, true).accept(sequence).logprobs().getFirst();
    assertArrayEquals(new byte[] {(byte) 0xC3}, logprob.bytes());
    assertEquals("\uFFFD", logprob.token());
    assertEquals(-0.5f, logprob.logprob());
    assertEquals("boa", logprob.top().getFirst().token());
    assertEquals(-1.5f, logprob.top().getFirst().logprob());
  }

  @Test
  void shouldStopBehindTheTokenThatCompletesAStopString() {
    final String three = WORDS.decode(new int[] {8, 9, 10}, true);
    final ChoiceText text = text(0, false, three.substring(1));
    final ChoiceText.News news = text.accept(tokens(null, 8, 9, 10, 11, 12));
    assertEquals(three.substring(0, 1), news.text());
    assertEquals(3, news.tokenCount());
    assertEquals(FinishReason.STOP, news.finish());
    assertArrayEquals(new int[] {5, 8, 9, 10}, text.behind(new int[] {5}));
  }

  @Test
  void shouldNotStopBeforeTheMinimum() {
    final String nine = WORDS.decode(new int[] {9}, true);
    final ChoiceText text = text(3, false, nine);
    assertNull(text.accept(tokens(null, 9, 9)).finish());
    final ChoiceText.News news = text.accept(tokens(null, 9, 9));
    assertEquals(FinishReason.STOP, news.finish());
    assertEquals(3, text.tokenCount());
  }

  @Test
  void shouldComeToTheSameHoweverTokensAreBatched() {
    final Random random = new Random(1);
    for (int round = 0; round < 3000; round++) {
      final int[] all = random.ints(random.nextInt(1, 12), 0, 64).toArray();
      final String whole = WORDS.decode(all, true);
      final int at = random.nextInt(whole.length() + 1);
      final int end = Math.min(whole.length(), at + 1 + random.nextInt(3));
      final String[] stops = at == end ? new String[0] : new String[] {whole.substring(at, end)};
      assertEquals(shown(all, stops, all.length, random), shown(all, stops, 1, random));
      assertEquals(shown(all, stops, all.length, random), shown(all, stops, 3, random));
    }
  }

  private static List<Object> shown(int[] all, String[] stops, int batchMax, Random random) {
    final ChoiceText text = text(0, false, stops);
    final StringBuilder shown = new StringBuilder();
    FinishReason finish = null;
    for (int at = 0; at < all.length && finish == null; ) {
      final int next = Math.min(all.length, at + 1 + random.nextInt(batchMax));
      final int[] batch = Arrays.copyOfRange(all, at, next);
      final var news = text.accept(tokens(next == all.length ? FinishReason.LENGTH : null, batch));
      shown.append(news.text());
      finish = news.finish();
      at = next;
    }
    return List.of(shown.toString(), finish, text.tokenCount());
  }

  private static ChoiceText text(int minTokens, boolean logprobs, String... stops) {
    final var sampling =
        new SamplingParams(
            0, 0, 1, 0, 1, 0, 0, Map.of(), 0, 100, minTokens, Set.of(), false, logprobs, 1, "");
    return new ChoiceText(
        WORDS, new GenerationCall("r", "m", new int[] {1}, sampling, 1, List.of(stops), ""));
  }

  private static SequenceTokens tokens(FinishReason finish, int... ids) {
    final List<SampledToken> tokens = new ArrayList<>();
    for (int id : ids) tokens.add(new SampledToken(id, -1, List.of()));
    return new SequenceTokens(new RequestId("r/0"), 0, 0, tokens, finish, 0);
  }
}
