package dev.stator.cli;

import java.io.BufferedReader;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One run of the command line and what it printed. */
record CliRun(int exitCode, String out, String err) {

  static CliRun of(NodeStarter starter, Path home, String input, String... arguments) {
    final StringWriter out = new StringWriter();
    final StringWriter err = new StringWriter();
    final CliContext context =
        new CliContext(
            starter,
            Optional.ofNullable(home),
            Map.of("XDG_STATE_HOME", home + "/state"),
            new BufferedReader(new StringReader(input)),
            null);
    final int exitCode =
        StatorCli.commandLine(context, arguments)
            .setOut(new PrintWriter(out, true))
            .setErr(new PrintWriter(err, true))
            .execute(arguments);
    return new CliRun(exitCode, out.toString(), err.toString());
  }

  /** {@code stator bench NAME}, which starts no node. */
  static CliRun ofBench(String name, Path home, String... arguments) {
    final List<String> words = new ArrayList<>(List.of("bench", name));
    words.addAll(List.of(arguments));
    return of(
        settings -> {
          throw new AssertionError("starts no node");
        },
        home,
        "",
        words.toArray(String[]::new));
  }
}
