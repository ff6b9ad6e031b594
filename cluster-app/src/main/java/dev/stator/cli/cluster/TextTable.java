package dev.stator.cli.cluster;

import java.util.ArrayList;
import java.util.List;

/** Columns of text, as wide as their widest cell; numbers stand right. */
final class TextTable {
  private static final String GAP = "  ";

  private final List<String> headings;
  private final boolean[] isRight;
  private final List<List<String>> rows = new ArrayList<>();

  /**
   * @param headings one a column; those that begin with {@code >} are of columns that stand right
   */
  TextTable(String... headings) {
    this.headings = new ArrayList<>();
    this.isRight = new boolean[headings.length];
    for (int i = 0; i < headings.length; i++) {
      isRight[i] = headings[i].startsWith(">");
      this.headings.add(isRight[i] ? headings[i].substring(1) : headings[i]);
    }
  }

  void row(String... cells) {
    if (cells.length != headings.size()) throw new IllegalArgumentException("cells: " + cells.length);
    rows.add(List.of(cells));
  }

  @Override
  public String toString() {
    final int[] widths = new int[headings.size()];
    measure(widths, headings);
    for (List<String> row : rows) measure(widths, row);
    final StringBuilder text = new StringBuilder();
    append(text, widths, headings);
    for (List<String> row : rows) append(text, widths, row);
    return text.toString();
  }

  private static void measure(int[] widths, List<String> cells) {
    for (int i = 0; i < widths.length; i++) widths[i] = Math.max(widths[i], cells.get(i).length());
  }

  private void append(StringBuilder text, int[] widths, List<String> cells) {
    final StringBuilder line = new StringBuilder();
    for (int i = 0; i < widths.length; i++) {
      final String padding = " ".repeat(widths[i] - cells.get(i).length());
      line.append(i == 0 ? "" : GAP);
      line.append(isRight[i] ? padding + cells.get(i) : cells.get(i) + padding);
    }
    text.append(line.toString().stripTrailing()).append('\n');
  }
}
