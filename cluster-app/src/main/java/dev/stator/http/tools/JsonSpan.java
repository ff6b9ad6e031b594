package dev.stator.http.tools;

/** Finds the end of one JSON value, character by character; looks at brackets and strings only. */
final class JsonSpan {
  /** What a character was to the value. */
  enum Progress {
    INSIDE,
    /** The value's last character. */
    LAST,
    /** The first character after a number, true, false or null. */
    BEYOND,
    BROKEN
  }

  /** Brackets within brackets; far beyond what arguments need. */
  private static final int DEPTH_MAX = 1_000;

  private final StringBuilder open = new StringBuilder();
  private final boolean scalar;
  private boolean inString;
  private boolean escaped;

  /** A value that begins with {@code first}, which is not given to {@link #accept}. */
  JsonSpan(char first) {
    scalar = first != '"' && first != '{' && first != '[';
    inString = first == '"';
    if (first == '{' || first == '[') {
      open(first);
    }
  }

  Progress accept(char c) {
    if (inString) {
      return acceptInString(c);
    }
    return switch (c) {
      case '"' -> startString();
      case '{', '[' -> scalar || open.length() == DEPTH_MAX ? Progress.BROKEN : open(c);
      case '}', ']' -> close(c);
      case ',', ' ', '\n', '\r', '\t' -> scalar ? Progress.BEYOND : Progress.INSIDE;
      default -> Progress.INSIDE;
    };
  }

  private Progress acceptInString(char c) {
    if (escaped) {
      escaped = false;
    } else if (c == '\\') {
      escaped = true;
    } else if (c == '"') {
      inString = false;
      return open.isEmpty() ? Progress.LAST : Progress.INSIDE;
    }
    return Progress.INSIDE;
  }

  private Progress startString() {
    inString = !scalar;
    return scalar ? Progress.BROKEN : Progress.INSIDE;
  }

  private Progress open(char bracket) {
    open.append(bracket == '{' ? '}' : ']');
    return Progress.INSIDE;
  }

  private Progress close(char bracket) {
    if (scalar) {
      return Progress.BEYOND;
    }
    final int last = open.length() - 1;
    if (open.charAt(last) != bracket) {
      return Progress.BROKEN;
    }
    open.setLength(last);
    return last == 0 ? Progress.LAST : Progress.INSIDE;
  }
}
