package dev.stator.model.text.template;

import dev.stator.model.text.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Cuts a template into text and tags. White space follows {@code trim_blocks} (a newline after a
 * tag goes) and {@code lstrip_blocks} (blanks before a tag at the start of a line go), with the
 * signs {@code -} and {@code +} in a tag overriding both.
 */
final class Lexer {
  private static final Pattern RAW_BEGIN = Pattern.compile("\\{%([-+]?)\\s*raw\\s*(?:-%}\\s*|%})");
  private static final Pattern RAW_END =
      Pattern.compile("\\{%([-+]?)\\s*endraw\\s*(?:\\+%}|-%}\\s*|%}\\n?)");

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int position;
  private int line = 1;

  /** Whether the text at {@link #position} starts a line, as far as the tag before it tells. */
  private boolean lineStarting = true;

  private Lexer(String source) {
    this.source = source;
  }

  /** The tokens, the last of them {@link Kind#END}. */
  static List<Token> tokens(String source) {
    final Lexer lexer = new Lexer(normalized(source));
    lexer.readAll();
    return lexer.tokens;
  }

  /**
   * Newlines become line feeds, and the last one goes, as by {@code keep_trailing_newline=False}.
   */
  private static String normalized(String source) {
    final String lines = source.replace("\r\n", "\n").replace('\r', '\n');
    return lines.endsWith("\n") ? lines.substring(0, lines.length() - 1) : lines;
  }

  private void readAll() {
    while (position < source.length()) {
      final int tag = nextTag(position);
      if (tag < 0) {
        addText(source.substring(position));
        break;
      }
      readTag(tag);
    }
    tokens.add(new Token(Kind.END, "", line));
  }

  private int nextTag(int from) {
    for (int at = source.indexOf('{', from); at >= 0 && at + 1 < source.length(); ) {
      final char next = source.charAt(at + 1);
      if (next == '{' || next == '%' || next == '#') {
        return at;
      }
      at = source.indexOf('{', at + 1);
    }
    return -1;
  }

  private void readTag(int tag) {
    final char type = source.charAt(tag + 1);
    final char sign = tag + 2 < source.length() ? source.charAt(tag + 2) : ' ';
    final boolean signed = sign == '-' || sign == '+';
    final String text = source.substring(position, tag);
    final Matcher raw = RAW_BEGIN.matcher(source).region(tag, source.length());
    if (type == '%' && raw.lookingAt()) {
      addStripped(text, raw.group(1), true);
      skipTo(raw.end());
      readRaw();
      return;
    }
    addStripped(text, signed ? String.valueOf(sign) : "", type != '{');
    skipTo(tag + (signed ? 3 : 2));
    switch (type) {
      case '#' -> skipComment();
      case '%' -> readInside(Kind.TAG_BEGIN, Kind.TAG_END);
      default -> readInside(Kind.PRINT_BEGIN, Kind.PRINT_END);
    }
  }

  /** Adds the text before a tag, cut at its end as the tag's sign says. */
  private void addStripped(String text, String sign, boolean stripsLine) {
    int end = text.length();
    if (sign.equals("-")) {
      end = Text.endWithoutSpace(text);
    } else if (sign.isEmpty() && stripsLine) {
      final int lineStart = text.lastIndexOf('\n') + 1;
      if ((lineStart > 0 || lineStarting) && Text.isSpace(text, lineStart)) {
        end = lineStart;
      }
    }
    addText(text.substring(0, end));
    skipTo(position + text.length());
  }

  private void addText(String text) {
    if (!text.isEmpty()) {
      tokens.add(new Token(Kind.DATA, text, line));
    }
  }

  /** Moves on, counting lines. */
  private void skipTo(int end) {
    for (int i = position; i < end; i++) {
      if (source.charAt(i) == '\n') {
        line++;
      }
    }
    if (end > position) {
      lineStarting = source.charAt(end - 1) == '\n';
    }
    position = end;
  }

  private void skipComment() {
    final int end = source.indexOf("#}", position);
    if (end < 0) {
      throw new TemplateFault("a comment has no end", line);
    }
    final char sign = end > position ? source.charAt(end - 1) : ' ';
    skipTo(end + 2);
    skipAfterTag(sign, true);
  }

  private void readRaw() {
    final Matcher end = RAW_END.matcher(source);
    if (!end.find(position)) {
      throw new TemplateFault("a raw block has no end", line);
    }
    addStripped(source.substring(position, end.start()), end.group(1), true);
    skipTo(end.end());
  }

  private void readInside(Kind begin, Kind end) {
    tokens.add(new Token(begin, "", line));
    final TagLexer inside = new TagLexer(source, position, line, end, tokens);
    skipTo(inside.read());
    tokens.add(new Token(end, "", line));
    skipTo(inside.end());
    skipAfterTag(inside.sign(), end == Kind.TAG_END);
  }

  /** Skips what a closed tag swallows: all white space after a minus, else one newline. */
  private void skipAfterTag(char sign, boolean trims) {
    int end = position;
    if (sign == '-') {
      while (end < source.length() && Text.isSpace(source.charAt(end))) {
        end++;
      }
    } else if (trims && sign != '+' && end < source.length() && source.charAt(end) == '\n') {
      end++;
    }
    skipTo(end);
  }
}
