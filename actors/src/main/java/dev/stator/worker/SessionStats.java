package dev.stator.worker;

/**
 * The session node's figures at one moment. Counters count since its start.
 *
 * @param active sessions
 * @param started sessions ever
 * @param refused calls that got no session
 * @param completed ended with an answer
 * @param cancelled ended by the client
 * @param failed ended with a failure
 * @param moves sequences that went on at another worker
 */
public record SessionStats(
    int active,
    long started,
    long refused,
    long completed,
    long cancelled,
    long failed,
    long moves) {
  public static final SessionStats NONE = new SessionStats(0, 0, 0, 0, 0, 0, 0);

  /** Of two models together. */
  public SessionStats plus(SessionStats other) {
    return new SessionStats(
        active + other.active,
        started + other.started,
        refused + other.refused,
        completed + other.completed,
        cancelled + other.cancelled,
        failed + other.failed,
        moves + other.moves);
  }
}
