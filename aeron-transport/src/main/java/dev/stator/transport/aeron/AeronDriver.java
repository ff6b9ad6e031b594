package dev.stator.transport.aeron;

import io.aeron.CommonContext;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.aeron.driver.status.SystemCounterDescriptor;
import io.aeron.exceptions.DriverTimeoutException;
import java.io.File;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import org.agrona.IoUtil;
import org.agrona.concurrent.AgentInvoker;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The media driver of this process: one of our own, which works on the thread of its owner and
 * whose folder goes with it, or an external one. <b>Threads:</b> the transport's.
 */
final class AeronDriver implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(AeronDriver.class);
  private static final String FOLDER_PREFIX = "stator-aeron-";

  private final String directory;
  private final MediaDriver own; // Null when external.

  private AeronDriver(String directory, MediaDriver own) {
    this.directory = directory;
    this.own = own;
  }

  static AeronDriver open(AeronSettings settings) {
    if (settings.directory().isPresent()) {
      return new AeronDriver(settings.directory().get().toString(), null);
    }
    final Path home = existing(settings.home());
    sweep(home, settings);
    final String name = FOLDER_PREFIX + ProcessHandle.current().pid() + "-" + UUID.randomUUID();
    final String directory = home.resolve(name).toString();
    return new AeronDriver(directory, MediaDriver.launch(context(directory, settings)));
  }

  private static MediaDriver.Context context(String directory, AeronSettings settings) {
    final long livenessNs = settings.livenessTimeout().toNanos();
    return new MediaDriver.Context()
        .aeronDirectoryName(directory)
        .dirDeleteOnStart(true)
        .dirDeleteOnShutdown(true)
        .threadingMode(ThreadingMode.INVOKER)
        .asyncExecutorEnabled(false)
        .termBufferSparseFile(true)
        .ipcMtuLength(Channels.MTU_MAX)
        .clientLivenessTimeoutNs(livenessNs)
        .publicationUnblockTimeoutNs(2 * livenessNs)
        .imageLivenessTimeoutNs(livenessNs)
        .publicationConnectionTimeoutNs(livenessNs)
        .errorHandler(error -> LOG.debug("Media driver", error));
  }

  private static Path existing(Path home) {
    if (Files.isDirectory(home) && Files.isWritable(home)) return home;
    return Path.of(IoUtil.tmpDirName());
  }

  /**
   * Deletes what drivers of killed processes left: nobody has their process id, nor their pulse.
   */
  private static void sweep(Path home, AeronSettings settings) {
    try (DirectoryStream<Path> folders = Files.newDirectoryStream(home, FOLDER_PREFIX + "*")) {
      for (Path folder : folders) {
        if (isOwnerAlive(folder) || isActive(folder.toFile(), settings)) continue;
        LOG.info("Deleting {}, left by a process that was killed", folder);
        IoUtil.delete(folder.toFile(), true);
      }
    } catch (IOException unreadable) {
      LOG.debug("Nothing swept in {}", home, unreadable);
    }
  }

  private static boolean isOwnerAlive(Path folder) {
    final String rest = folder.getFileName().toString().substring(FOLDER_PREFIX.length());
    try {
      return ProcessHandle.of(Long.parseLong(rest.substring(0, rest.indexOf('-')))).isPresent();
    } catch (IndexOutOfBoundsException | NumberFormatException notOurs) {
      return true;
    }
  }

  /** Whether a driver works in this folder. Cheap, never waits. */
  static boolean isActive(File directory, AeronSettings settings) {
    try {
      return CommonContext.isDriverActive(
          directory, settings.driverTimeout().toMillis(), message -> {});
    } catch (DriverTimeoutException unfinished) { // Killed, or not yet done, while it was made.
      return false;
    }
  }

  String directory() {
    return directory;
  }

  /** For clients that live on this driver's thread; {@code null} when external. */
  AgentInvoker invoker() {
    return own == null ? null : own.sharedAgentInvoker();
  }

  /** Datagrams that were not Aeron's, since the start; 0 when external. */
  long invalidDatagrams() {
    return own == null
        ? 0
        : own.context().systemCounters().get(SystemCounterDescriptor.INVALID_PACKETS).get();
  }

  int doWork() {
    return own == null ? 0 : own.sharedAgentInvoker().invoke();
  }

  @Override
  public void close() {
    if (own != null) own.close();
  }
}
