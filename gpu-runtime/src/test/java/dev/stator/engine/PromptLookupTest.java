package dev.stator.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PromptLookupTest {
  private static final int[] NONE = {};

  @Test
  void shouldDraftWhatFollowedTheLastTokensBefore() {
    assertDrafts(new int[] {4, 5, 6}, 1, 2, 3, 4, 5, 6, 7, 9, 2, 3);
  }

  @Test
  void shouldDraftNothingWhenTheLastTokensAreNew() {
    assertDrafts(NONE, 1, 2, 3, 4, 5, 6);
    assertDrafts(NONE, 1, 2, 3, 1);
    assertDrafts(NONE, 1, 1);
    assertDrafts(NONE, 1);
  }

  @Test
  void shouldTakeTheLatestOfEqualPlaces() {
    assertDrafts(new int[] {6, 0, 1}, 1, 2, 5, 0, 1, 2, 6, 0, 1, 2);
  }

  @Test
  void shouldTakeTheLongestOfUnequalPlaces() {
    assertDrafts(new int[] {5, 0, 1}, 9, 1, 2, 5, 0, 1, 2, 6, 9, 1, 2);
  }

  @Test
  void shouldIgnoreTokensBeyondTheLongestNgram() {
    final int[] longer = {8, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 6, 8, 1, 2, 3, 4};
    assertDrafts(new int[] {6, 8, 1}, longer);
  }

  @Test
  void shouldGoOnWithItsDraftsWhenThePlaceIsNearTheEnd() {
    assertDrafts(new int[] {7, 7, 7}, 1, 7, 7, 7);
    assertDrafts(new int[] {2, 1, 2}, 3, 1, 2, 1, 2, 1);
  }

  @Test
  void shouldDraftAsASearchOfAllPlacesWhenSequencesGrow() {
    final Random random = new Random(7);
    int found = 0;
    for (int round = 0; round < 20; round++) {
      final PromptLookup growing = new PromptLookup(2, 5);
      final int[] tokens = random.ints(1500, 0, 90).toArray();
      for (int length = 1 + random.nextInt(40); length < 1400; length += 1 + random.nextInt(6)) {
        final int[] expected = search(tokens, length, 2, 5, 4);
        final int[] actual = Arrays.copyOf(tokens, length + 4);
        final int count = growing.draft(actual, length, 4);
        assertArrayEquals(expected, Arrays.copyOfRange(actual, length, length + count));
        found += count;
      }
    }
    assertTrue(found > 1000, "drafts: " + found);
  }

  private static int[] search(int[] tokens, int length, int min, int max, int count) {
    for (int n = Math.min(max, length - 1); n >= min; n--) {
      for (int place = length - 1; place >= n; place--) {
        if (!Arrays.equals(tokens, place - n, place, tokens, length - n, length)) continue;
        final int[] drafts = new int[count];
        for (int i = 0; i < count; i++) {
          drafts[i] = place + i < length ? tokens[place + i] : drafts[place + i - length];
        }
        return drafts;
      }
    }
    return NONE;
  }

  /** Of as many tokens as are expected; one, where none are. */
  private void assertDrafts(int[] expected, int... tokens) {
    final int wanted = Math.max(1, expected.length);
    final int[] room = Arrays.copyOf(tokens, tokens.length + wanted);
    final int count = new PromptLookup(2, 4).draft(room, tokens.length, wanted);
    assertEquals(expected.length, count);
    assertArrayEquals(expected, Arrays.copyOfRange(room, tokens.length, tokens.length + count));
  }
}
