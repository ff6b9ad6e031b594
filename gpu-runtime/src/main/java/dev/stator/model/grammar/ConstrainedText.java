package dev.stator.model.grammar;

/**
 * One answer under a constraint: how far it has come, and which tokens may follow. The automaton's
 * thread only.
 */
public final class ConstrainedText {
  private final Automaton automaton;
  private Configuration at;

  ConstrainedText(Automaton automaton) {
    this.automaton = automaton;
    this.at = automaton.start();
  }

  /**
   * Takes the answer's next token; {@code false}, and nothing changes, when it may not be there.
   */
  public boolean add(int tokenId) {
    at = automaton.current(at);
    final Configuration next = automaton.after(at, tokenId);
    if (next == null) return false;
    at = next;
    return true;
  }

  /** Whether a token may be next; cheaper than {@link #allowed} for a single one. */
  public boolean allows(int tokenId) {
    at = automaton.current(at);
    return automaton.after(at, tokenId) != null;
  }

  /**
   * The tokens that may be next, without those that end an answer: bit {@code id % 64} of word
   * {@code id / 64}. Not to be changed. {@code null} when the grammar is too ambiguous to tell.
   */
  public long[] allowed() {
    at = automaton.current(at);
    return automaton.mask(at);
  }

  /** Whether the answer may end here. */
  public boolean isComplete() {
    return at.isComplete;
  }

  /** Whether anything may follow. */
  public boolean goesOn() {
    return at.goesOn();
  }
}
