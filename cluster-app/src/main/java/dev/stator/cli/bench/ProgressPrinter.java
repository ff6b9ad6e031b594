package dev.stator.cli.bench;

import java.io.PrintWriter;

/** Shows progress: a bar that moves on a terminal, now and then a line elsewhere. One thread. */
public final class ProgressPrinter {
  private static final double LINE_EVERY_SECONDS = 10;
  private static final String CLEAR_LINE = "\r\033[K";

  private final PrintWriter out;
  private final boolean terminal;
  private double nextLineSeconds = LINE_EVERY_SECONDS;

  public ProgressPrinter(PrintWriter out, boolean terminal) {
    this.out = out;
    this.terminal = terminal;
  }

  /** A step before or after the run itself. */
  void say(String what) {
    out.println(what);
    out.flush();
  }

  void show(Progress progress) {
    if (terminal) {
      out.print(CLEAR_LINE + progress.bar());
      out.flush();
    } else if (progress.seconds() >= nextLineSeconds) {
      nextLineSeconds = progress.seconds() + LINE_EVERY_SECONDS;
      say(progress.figures());
    }
  }

  void end() {
    if (!terminal) return;
    out.print(CLEAR_LINE);
    out.flush();
  }
}
