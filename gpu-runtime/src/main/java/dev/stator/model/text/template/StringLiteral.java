package dev.stator.model.text.template;

/**
 * Escapes in string literals: Python's {@code unicode-escape} codec over backslash-replaced ASCII.
 */
final class StringLiteral {
  private final String body;
  private final int line;
  private final StringBuilder out = new StringBuilder();
  private int position;

  private StringLiteral(String body, int line) {
    this.body = body;
    this.line = line;
  }

  /** The value of a literal, given what stands between its quotes. */
  static String unescape(String body, int line) {
    if (body.indexOf('\\') < 0) {
      return body;
    }
    final StringLiteral literal = new StringLiteral(body, line);
    literal.read();
    return literal.out.toString();
  }

  private void read() {
    while (position < body.length()) {
      final char c = body.charAt(position++);
      if (c == '\\') {
        readEscape();
      } else {
        out.append(c);
      }
    }
  }

  private void readEscape() {
    final int code = body.codePointAt(position);
    position += Character.charCount(code);
    switch (code) {
      case '\n' -> {}
      case '\\', '\'', '"' -> out.append((char) code);
      case 'a' -> out.append('\u0007');
      case 'b' -> out.append('\b');
      case 'f' -> out.append('\f');
      case 'n' -> out.append('\n');
      case 'r' -> out.append('\r');
      case 't' -> out.append('\t');
      case 'v' -> out.append('\u000b');
      case 'x' -> readHex(2);
      case 'u' -> readHex(4);
      case 'U' -> readHex(8);
      case 'N' -> readNamed();
      default -> readOther(code);
    }
  }

  private void readOther(int code) {
    if (code >= '0' && code <= '7') {
      int value = code - '0';
      for (int i = 0; i < 2 && position < body.length() && isOctal(body.charAt(position)); i++) {
        value = value * 8 + body.charAt(position++) - '0';
      }
      out.appendCodePoint(value);
    } else if (code < 0x80) {
      out.append('\\').append((char) code);
    } else { // The codec sees the backslash-replaced character: its own backslash is the escaped
      // one.
      final String hex = Integer.toHexString(code);
      final int width = code < 0x100 ? 2 : code < 0x10000 ? 4 : 8;
      out.append('\\').append(width == 2 ? 'x' : width == 4 ? 'u' : 'U');
      out.append("0".repeat(width - hex.length())).append(hex);
    }
  }

  private static boolean isOctal(char c) {
    return c >= '0' && c <= '7';
  }

  private void readHex(int digits) {
    final int end = position + digits;
    int code = -1;
    if (end <= body.length() && body.substring(position, end).matches("[0-9a-fA-F]+")) {
      code = (int) Math.min(Integer.MAX_VALUE, Long.parseLong(body.substring(position, end), 16));
    }
    if (!Character.isValidCodePoint(code)) {
      throw new TemplateFault("a string has a broken \\x, \\u or \\U escape", line);
    }
    out.appendCodePoint(code);
    position = end;
  }

  private void readNamed() {
    final int close = body.indexOf('}', position);
    if (close < 0 || body.charAt(position) != '{') {
      throw new TemplateFault("a string has a broken \\N escape", line);
    }
    try {
      out.appendCodePoint(Character.codePointOf(body.substring(position + 1, close)));
    } catch (IllegalArgumentException e) {
      throw new TemplateFault("a string names an unknown character", line);
    }
    position = close + 1;
  }
}
