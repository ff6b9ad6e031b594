package dev.stator.multijvm.harness;

import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A process of the distribution, started through its launcher. Every wait is bounded; {@link
 * #close} leaves no process behind. Any thread may call it.
 */
public final class StatorProcess implements AutoCloseable {
  /** Far more than a start takes, on a machine that is busy with other things. */
  public static final Duration PATIENCE = Duration.ofSeconds(90);

  private static final Pattern ADDRESS = Pattern.compile("^  address +(http\\S+)$");
  private static final Pattern CLUSTER = Pattern.compile("^  cluster +(\\S+:\\d+)");
  private static final Pattern READY = Pattern.compile("^Ready in ");

  private final Process process;
  private final OutputCapture out;
  private final OutputCapture err;

  private StatorProcess(Process process) {
    this.process = process;
    this.out = new OutputCapture("stdout-" + process.pid(), process.getInputStream());
    this.err = new OutputCapture("stderr-" + process.pid(), process.getErrorStream());
  }

  /** Starts a command of the built distribution without a start-up cache and without input. */
  public static StatorProcess start(Distribution distribution, String... arguments)
      throws IOException {
    final StatorProcess started =
        start(distribution.launcher(), Path.of("."), Map.of("STATOR_CACHE", "off"), arguments);
    started.process.getOutputStream().close();
    return started;
  }

  /**
   * Starts a command.
   *
   * @param folder the working directory
   * @param environment added to this process's own
   */
  public static StatorProcess start(
      Path launcher, Path folder, Map<String, String> environment, String... arguments)
      throws IOException {
    return start(List.of(), launcher, folder, environment, arguments);
  }

  /**
   * Starts a command on another host.
   *
   * @param on what stands before it, as {@link TestNetwork#on} says
   */
  static StatorProcess start(
      List<String> on,
      Path launcher,
      Path folder,
      Map<String, String> environment,
      String... arguments)
      throws IOException {
    final List<String> command = new ArrayList<>(on);
    command.add(launcher.toString());
    command.addAll(List.of(arguments));
    final ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
    builder.environment().putAll(environment);
    return new StatorProcess(builder.start());
  }

  public long pid() {
    return process.pid();
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  /** Writes to its standard input. */
  public void type(String text) throws IOException {
    final OutputStream input = process.getOutputStream();
    input.write(text.getBytes(StandardCharsets.UTF_8));
    input.flush();
  }

  /** Waits for a server's address, and until it answers there. */
  public URI waitUntilReady() throws InterruptedException {
    final Optional<Matcher> address = out.waitFor(ADDRESS, PATIENCE);
    final boolean ready = address.isPresent() && out.waitFor(READY, PATIENCE).isPresent();
    if (!ready) throw new AssertionError("the server did not become ready\n" + this);
    return URI.create(address.get().group(1));
  }

  /** Where other nodes join it, as {@code host:port}. */
  public String clusterAddress() throws InterruptedException {
    return out.waitFor(CLUSTER, PATIENCE)
        .orElseThrow(() -> new AssertionError("it names no cluster address\n" + this))
        .group(1);
  }

  /** Stops it where it is (SIGSTOP), as a machine that hangs does. */
  public void hang() {
    signal("STOP");
  }

  /** Lets it go on (SIGCONT). */
  public void resume() {
    signal("CONT");
  }

  /** What it holds; collects its garbage. */
  public ProcessLook look() throws IOException {
    return ProcessLook.at(pid());
  }

  /** Files in memory that it has made; they stay when it is killed. */
  public Set<Path> madeInMemory() throws IOException {
    return ProcessLook.madeInMemory(pid());
  }

  /**
   * Hangs and goes on by turns, as a process does that gets too little of its machine, until the
   * answer is closed.
   */
  public AutoCloseable starve(Duration hanging, Duration running) {
    final AtomicBoolean over = new AtomicBoolean();
    final Thread starver =
        Thread.ofPlatform()
            .name("starve-" + pid())
            .start(() -> {
              try {
                while (!over.get() && isAlive()) {
                  hang();
                  LockSupport.parkNanos(hanging.toNanos());
                  resume();
                  LockSupport.parkNanos(running.toNanos());
                }
              } catch (AssertionError ended) {
                // The test sees a process that is gone.
              }
            });
    return () -> {
      over.set(true);
      starver.join();
    };
  }

  private void signal(String name) {
    SystemCommand.run(PATIENCE, "kill", "-" + name, Long.toString(pid()));
  }

  /** Waits for a line of its standard error that holds {@code text}. */
  public void waitForError(String text) throws InterruptedException {
    if (err.waitFor(Pattern.compile(Pattern.quote(text)), PATIENCE).isEmpty()) {
      throw new AssertionError("never said '" + text + "'\n" + this);
    }
  }

  /** Waits for its end and answers its exit code. */
  public int waitForExit() throws InterruptedException {
    if (!process.waitFor(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
      throw new AssertionError("did not end\n" + this);
    }
    return process.exitValue();
  }

  /** All that it wrote to standard output; waits for its end. */
  public String out() throws InterruptedException {
    return out.whole(PATIENCE);
  }

  /** All that it wrote to standard error; waits for its end. */
  public String err() throws InterruptedException {
    return err.whole(PATIENCE);
  }

  /** Asks it to stop (SIGTERM), waits, and answers its exit code. */
  public int stop() throws InterruptedException {
    process.destroy();
    return waitForExit();
  }

  /** Ends it without a word (SIGKILL), as a crash would. */
  public void kill() {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
    process.onExit().orTimeout(PATIENCE.toMillis(), TimeUnit.MILLISECONDS).join();
  }

  @Override
  public void close() {
    if (process.isAlive()) kill();
  }

  @Override
  public String toString() {
    return "--- pid %d, %s, standard output:\n%s--- standard error:\n%s"
        .formatted(pid(), isAlive() ? "alive" : "ended", out.soFar(), err.soFar());
  }
}
