package dev.stator.planner;

import dev.stator.protocol.WorkerRole;

/**
 * Notices that fewer slots than its minimum have a role, as after deaths. Without decode slots
 * nothing is answered any more, and no forecast of arrivals sees it.
 *
 * <pre>
 *   KEPT ── too few ──▶ (patience intervals) ──▶ LACKING ── enough ──▶ KEPT
 * </pre>
 *
 * A role that never had its minimum is given more time: its nodes may be about to join. One thread.
 */
final class MinimumRule {
  private final WorkerRole role;
  private final int min;
  private final int patience;
  private final int firstPatience;
  private boolean wasKept;
  private int intervals; // In a row, with too few.

  /**
   * @param patience intervals with too few until that counts
   * @param firstPatience likewise, as long as there never were enough
   */
  MinimumRule(WorkerRole role, int min, int patience, int firstPatience) {
    this.role = role;
    this.min = min;
    this.patience = patience;
    this.firstPatience = firstPatience;
  }

  /** What one more interval shows: how many slots the role must get now. */
  int lack(Situation situation) {
    final long slots =
        situation.slots().stream().filter(slot -> slot.roles().contains(role)).count();
    if (slots >= min) {
      wasKept = true;
      intervals = 0;
      return 0;
    }
    intervals++;
    return intervals >= (wasKept ? patience : firstPatience) ? min - (int) slots : 0;
  }
}
