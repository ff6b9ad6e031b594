package dev.stator.transport.file;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This process's inbox among those of all processes that see the folder. A file's life:
 *
 * <ol>
 *   <li>Written by its sender, into the receiver's inbox, under a name that ends in {@code .part}.
 *   <li>Renamed by its sender: there, whole.
 *   <li>Read and deleted by the receiver; or deleted by its sender, who has given up.
 * </ol>
 *
 * <p>An inbox that its process has not touched for long is deleted by the next process that starts.
 *
 * <p><b>Threads:</b> one at a time.
 */
final class FileFolder implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(FileFolder.class);
  private static final Pattern NAME =
      Pattern.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}");
  private static final Pattern FILE = Pattern.compile(NAME.pattern() + "-[0-9a-f]{16}");
  private static final String ALIVE = "alive"; // Touched again and again.
  private static final String PART = ".part";

  private final Path root;
  private final Path inbox;
  private long nextFile;

  private FileFolder(Path root, Path inbox) {
    this.root = root;
    this.inbox = inbox;
  }

  static FileFolder open(Path root, Duration staleAfter) {
    try {
      Files.createDirectories(root, only("rwx------"));
      final Path realRoot = root.toRealPath();
      final Path inbox = realRoot.resolve(UUID.randomUUID().toString());
      Files.createDirectory(inbox, only("rwx------"));
      final FileFolder folder = new FileFolder(realRoot, inbox);
      Files.createFile(inbox.resolve(ALIVE));
      folder.deleteStale(staleAfter);
      return folder;
    } catch (IOException broken) {
      throw new UncheckedIOException("no folder for blocks in " + root, broken);
    }
  }

  private static FileAttribute<?> only(String permissions) {
    return PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions));
  }

  /** By the clock of the file system alone, since hosts' clocks differ. */
  private void deleteStale(Duration staleAfter) throws IOException {
    final FileTime now = Files.getLastModifiedTime(inbox.resolve(ALIVE));
    try (DirectoryStream<Path> inboxes =
        Files.newDirectoryStream(root, path -> isName(path.getFileName().toString()))) {
      for (Path other : inboxes) {
        final Path alive = other.resolve(ALIVE);
        final Path touched = Files.isRegularFile(alive, LinkOption.NOFOLLOW_LINKS) ? alive : other;
        final FileTime last = Files.getLastModifiedTime(touched, LinkOption.NOFOLLOW_LINKS);
        if (now.toMillis() - last.toMillis() > staleAfter.toMillis()) delete(other);
      }
    }
  }

  private static void delete(Path inbox) {
    if (!Files.isDirectory(inbox, LinkOption.NOFOLLOW_LINKS)) return;
    try (DirectoryStream<Path> files = Files.newDirectoryStream(inbox)) {
      for (Path file : files) Files.deleteIfExists(file);
      Files.deleteIfExists(inbox);
    } catch (IOException broken) {
      LOG.warn("Cannot delete {}: {}", inbox, broken.getMessage());
    }
  }

  String name() {
    return inbox.getFileName().toString();
  }

  static boolean isName(String name) {
    return NAME.matcher(name).matches();
  }

  /** Whether there is an inbox of that name. */
  boolean has(String name) {
    return isName(name)
        && Files.isRegularFile(root.resolve(name).resolve(ALIVE), LinkOption.NOFOLLOW_LINKS);
  }

  void touch() throws IOException {
    final ByteBuffer one = ByteBuffer.allocate(1); // The file system stamps it with its own time.
    try (FileChannel alive =
        FileChannel.open(
            inbox.resolve(ALIVE), StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)) {
      alive.write(one, 0);
    }
  }

  /** Puts a file into an inbox; it is there whole, or not at all. */
  Path put(String name, ByteBuffer header, ByteBuffer body) throws IOException {
    final Path to = root.resolve(name);
    final String file = String.format("%s-%016x", name(), nextFile++);
    final Path part = to.resolve(file + PART);
    try (FileChannel channel =
        FileChannel.open(
            part,
            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
            only("rw-------"))) {
      while (header.hasRemaining()) channel.write(header);
      while (body.hasRemaining()) channel.write(body);
    } catch (IOException broken) {
      Files.deleteIfExists(part);
      throw broken;
    }
    return Files.move(part, to.resolve(file), StandardCopyOption.ATOMIC_MOVE);
  }

  /** Some of the files that are there, oldest of each sender first. */
  List<Path> arrived(int filesMax) throws IOException {
    final List<Path> arrived = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(inbox)) {
      for (Path file : files) {
        final String name = file.getFileName().toString();
        if (name.equals(ALIVE) || name.endsWith(PART)) continue;
        arrived.add(file);
        if (arrived.size() == filesMax) break;
      }
    }
    arrived.sort(null);
    return arrived;
  }

  /** Who put this file there, {@code null} when its name tells nobody. */
  static String sender(Path file) {
    final String name = file.getFileName().toString();
    return FILE.matcher(name).matches() ? name.substring(0, name.lastIndexOf('-')) : null;
  }

  @Override
  public void close() {
    delete(inbox);
  }
}
