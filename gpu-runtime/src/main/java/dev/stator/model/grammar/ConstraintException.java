package dev.stator.model.grammar;

/** A constraint that cannot be kept, for a reason that its user can mend. */
public final class ConstraintException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String place;
  private final String problem;

  /**
   * @param place where in the constraint's text: a JSON pointer such as {@code
   *     /properties/a/pattern}, {@code character 7} of a pattern, {@code line 3} of a grammar;
   *     empty for the whole
   * @param problem one sentence, without its full stop
   */
  ConstraintException(String place, String problem) {
    super(place.isEmpty() ? problem : problem + " (at " + place + ")");
    this.place = place;
    this.problem = problem;
  }

  /** The same fault, in a text that stands at {@code outer}. */
  ConstraintException within(String outer) {
    return new ConstraintException(place.isEmpty() ? outer : outer + ", " + place, problem);
  }

  /** As given to the constructor. */
  public String place() {
    return place;
  }
}
