package dev.stator.engine;

/**
 * How many tokens to draft for a sequence: twice as many after drafts that were all right, one more
 * than were right after others, and none for a while after drafts that were all wrong, longer each
 * time.
 *
 * <p><b>Threads:</b> the engine's.
 */
final class DraftPace {
  private static final int FIRST_COUNT = 2;
  private static final int PAUSE_MAX = 32;

  private final int countMax;
  private int count;
  private int pause; // Tokens without drafts after the last miss.
  private int pauseLeft;

  DraftPace(int countMax) {
    this.countMax = countMax;
    this.count = Math.min(FIRST_COUNT, countMax);
  }

  /** Drafts wanted for the next step; asked once for each. */
  int next() {
    if (pauseLeft == 0) return count;
    pauseLeft--;
    return 0;
  }

  /** What became of drafts. */
  void verified(int draftedCount, int acceptedCount) {
    if (draftedCount == 0) return;
    if (acceptedCount > 0) {
      count = acceptedCount < draftedCount ? acceptedCount + 1 : Math.max(count, 2 * draftedCount);
      count = Math.min(count, countMax);
      pause = 0;
    } else {
      count = 1;
      pause = Math.min(Math.max(1, 2 * pause), PAUSE_MAX);
      pauseLeft = pause;
    }
  }
}
