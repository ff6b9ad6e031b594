package dev.stator.http.tools;

import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/**
 * What the formats share: text up to a marker, then calls.
 *
 * <pre>
 *   content ──marker──▶ opening ──{──▶ call ──}──▶ (the format's own end) ──▶ after
 *      ▲                   │             │                                      │
 *      └──── anything else ┴─────────────┴──────────────────────────────────────┘
 * </pre>
 *
 * A state is a method that takes the next character. What may still be a call is held; if it turns
 * out not to be one, it becomes text.
 */
abstract class MarkerParser implements ToolCallParser {
  /** One state. */
  @FunctionalInterface
  interface State {
    void accept(char c);
  }

  /** A call whose name has not come after so many characters is text. */
  private static final int HEADER_CHARS_MAX = 16_384;

  private final Set<String> toolNames;
  private final boolean argumentsRequired;
  private final String marker;
  private final PieceBuffer out;
  private final StringBuilder held = new StringBuilder();
  private State state = this::content;

  /** Characters of the marker at the end of {@link #held}. */
  private int matched;

  private CallReader call;

  /** Whether what is held belongs to a call for sure, such as the beginning of its end tag. */
  private boolean heldIsMarkup;

  /**
   * @param marker what calls begin with; its first character is nowhere else in it
   */
  MarkerParser(
      Set<String> toolNames, Supplier<String> ids, String marker, boolean argumentsRequired) {
    this.toolNames = Set.copyOf(toolNames);
    this.out = new PieceBuffer(ids);
    this.marker = marker;
    this.argumentsRequired = argumentsRequired;
  }

  /** The first character behind the marker, or behind the white space there. */
  abstract void opening(char c);

  /** The call's object has been closed. */
  abstract void callDone();

  /** Whether a character between calls belongs to neither of them. */
  boolean isSeparator(char c) {
    return CallReader.isSpace(c);
  }

  /** A character between calls that is no separator and does not begin a marker. */
  void strayAfterCall(char c) {
    release(c);
  }

  @Override
  public final List<Piece> add(String text) {
    for (int i = 0; i < text.length(); i++) {
      state.accept(text.charAt(i));
    }
    return out.take();
  }

  @Override
  public final List<Piece> finish() {
    final boolean inCall = call != null && call.isStarted();
    if (!inCall && !heldIsMarkup) {
      out.content(held);
    }
    held.setLength(0);
    matched = 0;
    state = this::content;
    return out.take();
  }

  /**
   * Goes to a state of the format.
   *
   * @param markup whether what is held, at the end of the answer, is no text
   */
  final void become(State next, boolean markup) {
    state = next;
    heldIsMarkup = markup;
  }

  final PieceBuffer out() {
    return out;
  }

  final Set<String> toolNames() {
    return toolNames;
  }

  final void hold(char c) {
    held.append(c);
  }

  /** What is held belongs to a call. */
  final void drop() {
    held.setLength(0);
  }

  /** What is held is text, and the character starts anew. */
  final void release(char c) {
    out.content(held);
    held.setLength(0);
    call = null;
    heldIsMarkup = false;
    matched = 0;
    state = this::content;
    content(c);
  }

  final void content(char c) {
    if (c == marker.charAt(matched)) {
      heldIsMarkup = false;
      held.append(c);
      matched++;
      if (matched == marker.length()) {
        matched = 0;
        state = this::afterMarker;
      }
    } else if (matched > 0) {
      release(c);
    } else {
      out.content(String.valueOf(c));
    }
  }

  private void afterMarker(char c) {
    if (CallReader.isSpace(c) && held.length() < HEADER_CHARS_MAX) {
      held.append(c);
    } else {
      opening(c);
    }
  }

  /** Begins a call with its opening brace. */
  final void startCall(char brace) {
    held.append(brace);
    heldIsMarkup = false;
    call = new CallReader(toolNames, argumentsRequired, out);
    state = this::inCall;
  }

  private void inCall(char c) {
    switch (call.accept(c)) {
      case MORE -> {
        if (!call.isStarted()) {
          holdHeader(c);
        } else if (call.passedOn()) {
          drop();
        } else {
          held.append(c);
        }
      }
      case DONE -> {
        drop();
        call = null;
        callDone();
      }
      case BROKEN -> release(c);
    }
  }

  private void holdHeader(char c) {
    if (held.length() < HEADER_CHARS_MAX) {
      held.append(c);
    } else {
      release(c);
    }
  }

  /** Nothing of a call is open; separators are held until it is clear what they separate. */
  final void between() {
    become(this::after, true);
  }

  /** Goes on behind a call, what is held being read anew. */
  final void rereadBetween(char c) {
    final String again = held.toString() + c;
    held.setLength(0);
    between();
    for (int i = 0; i < again.length(); i++) {
      state.accept(again.charAt(i));
    }
  }

  private void after(char c) {
    if (isSeparator(c)) {
      held.append(c);
    } else if (c == marker.charAt(0)) {
      state = this::content;
      content(c);
    } else {
      strayAfterCall(c);
    }
  }
}
