package dev.stator.cli.cluster;

import dev.stator.cli.CommandException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A process, told apart from any later one that the system gives the same number.
 *
 * @param start when the process began, in a form of its own
 */
public record ProcessMark(long pid, String start) {
  /** What the process does. */
  public enum State {
    RUNNING,
    /** Stopped where it is (SIGSTOP): it hangs. */
    HUNG,
    ENDED
  }

  private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");

  /** Fields of {@code /proc/PID/stat}, counted after the name, which may hold anything. */
  private static final int STATE_AFTER_NAME = 0;

  private static final int START_AFTER_NAME = 19;

  /** The living process of this number. */
  public static Optional<ProcessMark> of(long pid) {
    return start(pid).map(start -> new ProcessMark(pid, start));
  }

  public State state() {
    if (!start(pid).equals(Optional.of(start))) return State.ENDED;
    return switch (stat(pid).map(fields -> fields[STATE_AFTER_NAME]).orElse("")) {
      case "T", "t" -> State.HUNG;
      case "Z", "X" -> State.ENDED;
      default -> State.RUNNING;
    };
  }

  public boolean isAlive() {
    return state() != State.ENDED;
  }

  /**
   * Sends a signal to this process, and to no other that has its number.
   *
   * @param name such as {@code TERM}
   * @return whether the process was there
   */
  public boolean signal(String name) {
    if (!isAlive()) return false;
    try {
      final Process kill =
          new ProcessBuilder("kill", "-s", name, Long.toString(pid))
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      return kill.waitFor() == 0;
    } catch (IOException noKill) {
      throw new CommandException("the command 'kill' cannot be run", noKill);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private static Optional<String> start(long pid) {
    final Optional<String[]> fields = stat(pid);
    if (fields.isPresent()) return fields.map(values -> bootId() + ":" + values[START_AFTER_NAME]);
    return ProcessHandle.of(pid)
        .filter(ProcessHandle::isAlive)
        .flatMap(process -> process.info().startInstant())
        .map(Object::toString);
  }

  /** Empty when there is no such process, and on systems without {@code /proc}. */
  private static Optional<String[]> stat(long pid) {
    try {
      final String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
      return Optional.of(stat.substring(stat.lastIndexOf(')') + 1).strip().split(" "));
    } catch (IOException | RuntimeException gone) {
      return Optional.empty();
    }
  }

  private static String bootId() {
    try {
      return Files.readString(BOOT_ID).strip();
    } catch (IOException unknown) {
      return "";
    }
  }
}
