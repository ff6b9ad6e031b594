package dev.stator.http.tools;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Set;

/**
 * Reads one call object, {@code {"name": ..., "arguments": {...}}}, its keys in any order. Passes
 * the arguments on as they come once it knows the name; other keys are read over.
 *
 * <pre>
 *   KEY ──string──▶ COLON ──:──▶ VALUE ──begin──▶ IN_VALUE ──end──▶ NEXT ──,──▶ KEY
 *                                                                  └──}──▶ done
 * </pre>
 */
final class CallReader {
  enum Progress {
    MORE,
    /** The character closed the object. */
    DONE,
    /** This is no call of a tool, from this character on. */
    BROKEN
  }

  private enum State {
    KEY,
    COLON,
    VALUE,
    IN_VALUE,
    NEXT
  }

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Set<String> ARGUMENTS = Set.of("arguments", "parameters");

  private final Set<String> toolNames;
  private final boolean argumentsRequired;
  private final PieceBuffer out;

  private State state = State.KEY;
  private boolean afterComma;
  private boolean readsKey;
  private JsonSpan span;
  private final StringBuilder raw = new StringBuilder();
  private String key = "";

  private String name;
  private String earlyArguments;
  private boolean started;

  /** Whether the value being read goes to the reader as it comes. */
  private boolean streams;

  private boolean passedOn;

  /** A reader behind the opening brace. */
  CallReader(Set<String> toolNames, boolean argumentsRequired, PieceBuffer out) {
    this.toolNames = toolNames;
    this.argumentsRequired = argumentsRequired;
    this.out = out;
  }

  /** Whether the call has begun for the reader: what came so far is no text any more. */
  boolean isStarted() {
    return started;
  }

  /** Whether the last character went to the reader as a part of the arguments. */
  boolean passedOn() {
    return passedOn;
  }

  Progress accept(char c) {
    passedOn = false;
    if (state != State.IN_VALUE && !readsKey && isSpace(c)) {
      return Progress.MORE;
    }
    return switch (state) {
      case KEY -> acceptKey(c);
      case COLON -> move(c == ':', State.VALUE);
      case VALUE -> startValue(c);
      case IN_VALUE -> acceptValue(c);
      case NEXT -> acceptNext(c);
    };
  }

  static boolean isSpace(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
  }

  private Progress move(boolean right, State next) {
    state = next;
    return right ? Progress.MORE : Progress.BROKEN;
  }

  private Progress acceptKey(char c) {
    if (!readsKey) {
      if (c == '}' && !afterComma) {
        return end();
      }
      readsKey = c == '"';
      span = new JsonSpan('"');
      raw.setLength(0);
      raw.append(c);
      return readsKey ? Progress.MORE : Progress.BROKEN;
    }
    raw.append(c);
    if (span.accept(c) != JsonSpan.Progress.LAST) {
      return Progress.MORE;
    }
    readsKey = false;
    key = string(raw.toString());
    return move(key != null, State.COLON);
  }

  private Progress startValue(char c) {
    if (c == ',' || c == '}' || c == ']' || c == ':') {
      return Progress.BROKEN;
    }
    span = new JsonSpan(c);
    raw.setLength(0);
    state = State.IN_VALUE;
    final boolean arguments = ARGUMENTS.contains(key) && !started;
    if (arguments && c == '{' && name != null) {
      start();
      streams = true;
    }
    keep(c);
    final boolean fits = (!arguments || c == '{' || c == '"') && (!key.equals("name") || c == '"');
    return fits ? Progress.MORE : Progress.BROKEN;
  }

  private void start() {
    started = true;
    out.startCall(name);
  }

  private void keep(char c) {
    if (streams) {
      passedOn = true;
      out.arguments(String.valueOf(c));
    } else if (!started) {
      raw.append(c);
    }
  }

  private Progress acceptValue(char c) {
    return switch (span.accept(c)) {
      case INSIDE -> {
        keep(c);
        yield Progress.MORE;
      }
      case LAST -> {
        keep(c);
        yield endValue();
      }
      case BEYOND -> {
        final Progress end = endValue();
        yield end == Progress.BROKEN || isSpace(c) ? end : acceptNext(c);
      }
      case BROKEN -> Progress.BROKEN;
    };
  }

  private Progress endValue() {
    state = State.NEXT;
    streams = false;
    if (started) {
      return Progress.MORE;
    }
    if (key.equals("name")) {
      name = string(raw.toString());
      return name != null && toolNames.contains(name) ? Progress.MORE : Progress.BROKEN;
    }
    if (ARGUMENTS.contains(key)) {
      earlyArguments = raw.charAt(0) == '"' ? objectInString(raw.toString()) : raw.toString();
      return earlyArguments != null ? Progress.MORE : Progress.BROKEN;
    }
    return Progress.MORE;
  }

  private Progress acceptNext(char c) {
    if (c == '}') {
      return end();
    }
    afterComma = true;
    return move(c == ',', State.KEY);
  }

  private Progress end() {
    if (started) {
      return Progress.DONE;
    }
    if (name == null || (earlyArguments == null && argumentsRequired)) {
      return Progress.BROKEN;
    }
    start();
    out.arguments(earlyArguments == null ? "{}" : earlyArguments);
    return Progress.DONE;
  }

  /** The value of a JSON string, or null where it is broken. */
  private static String string(String json) {
    try {
      return JSON.readTree(json).textValue();
    } catch (JsonProcessingException e) {
      return null;
    }
  }

  /** Arguments that were written as a string with JSON in it, or null where it has no object. */
  private static String objectInString(String json) {
    try {
      final String inner = string(json);
      final JsonNode parsed = inner == null ? null : JSON.readTree(inner);
      return parsed != null && parsed.isObject() ? inner : null;
    } catch (JsonProcessingException e) {
      return null;
    }
  }
}
