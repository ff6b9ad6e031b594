package dev.stator.cli;

import com.typesafe.config.ConfigException;
import dev.stator.model.ModelFormatException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.nio.file.NoSuchFileException;

/** One sentence for each failure that a user can meet. */
public final class Failures {
  private Failures() {}

  /** What went wrong, without class names unless it is a bug. */
  public static String sentence(Throwable failure) {
    return switch (failure) {
      case CommandException expected -> expected.getMessage();
      case NodeStartException expected -> expected.getMessage();
      case ModelFormatException expected -> "the model cannot be used: " + expected.getMessage();
      case BindException taken ->
          "cannot listen: " + taken.getMessage() + "; choose another --port";
      case NoSuchFileException missing -> "no such file: " + missing.getMessage();
      case ConfigException wrong -> "the configuration is wrong: " + wrong.getMessage();
      case UncheckedIOException wrapped -> sentence(wrapped.getCause());
      case IOException broken -> "input or output failed: " + describe(broken);
      case InterruptedException _ -> "interrupted";
      case OutOfMemoryError full ->
          "out of memory (" + full.getMessage() + "); use a smaller model, context or KV pool";
      default -> "internal error: " + describe(failure) + " (--verbose shows the stack trace)";
    };
  }

  private static String describe(Throwable failure) {
    final String name = failure.getClass().getSimpleName();
    return failure.getMessage() == null ? name : name + ": " + failure.getMessage();
  }
}
