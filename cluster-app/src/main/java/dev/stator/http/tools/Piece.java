package dev.stator.http.tools;

/** A part of an answer, in order. */
public sealed interface Piece {
  /** Text for the reader; not empty. */
  record Content(String text) implements Piece {}

  /**
   * A call of one of the request's tools begins; its arguments follow.
   *
   * @param index 0 for the answer's first call
   */
  record CallStarted(int index, String id, String name) implements Piece {}

  /**
   * More of a call's arguments; not empty. Joined, they are the raw JSON object that the model
   * wrote, or its beginning where the answer was cut off.
   */
  record ArgumentsDelta(int index, String json) implements Piece {}
}
