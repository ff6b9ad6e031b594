package dev.stator.model.text.template;

/** Builds a string that the budget pays for piece by piece, so that none grows past its limit. */
final class TextBuilder {
  private final Budget budget;
  private final long lengthMax;
  private final StringBuilder text = new StringBuilder();

  TextBuilder(Budget budget) {
    this(budget, Long.MAX_VALUE);
  }

  TextBuilder(Budget budget, long lengthMax) {
    this.budget = budget;
    this.lengthMax = lengthMax;
  }

  TextBuilder append(String piece) {
    if (text.length() + (long) piece.length() > lengthMax) {
      throw new TemplateFault("the template's output is longer than " + lengthMax + " characters");
    }
    budget.text(piece.length());
    text.append(piece);
    return this;
  }

  TextBuilder append(char piece) {
    return append(String.valueOf(piece));
  }

  Budget budget() {
    return budget;
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
