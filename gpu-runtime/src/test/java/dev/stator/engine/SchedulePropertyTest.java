package dev.stator.engine;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** What a schedule promises, over random ones in small pools: see {@link RandomSchedule}. */
class SchedulePropertyTest {
  private static final int SCHEDULES = 600;
  private static final int ROUNDS = 300;

  @Test
  void shouldKeepItsPromisesWhenSchedulesAreRandom() {
    long ended = 0;
    long reserved = 0;
    long overtakings = 0;
    long failures = 0;
    long drafted = 0;
    for (long seed = 0; seed < SCHEDULES; seed++) {
      final RandomSchedule schedule = new RandomSchedule(seed);
      try {
        schedule.run(ROUNDS);
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
      }
      ended += schedule.ended;
      reserved += schedule.reserved;
      overtakings += schedule.overtakings;
      failures += schedule.failures;
      drafted += schedule.drafted;
    }
    assertTrue(ended > 5 * SCHEDULES, "ended: " + ended);
    assertTrue(reserved > 3 * SCHEDULES, "reserved: " + reserved);
    assertTrue(overtakings > SCHEDULES / 2, "reserved while others waited: " + overtakings);
    assertTrue(drafted > 5 * SCHEDULES, "drafts: " + drafted);
    assertTrue(failures > SCHEDULES / 2, "failed steps: " + failures);
  }
}
