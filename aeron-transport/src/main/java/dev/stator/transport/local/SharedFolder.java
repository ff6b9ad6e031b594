package dev.stator.transport.local;

import com.typesafe.config.Config;
import dev.stator.transport.SharedMemory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This process's own folder among those of its user's other processes: its pools and its socket.
 * Its life:
 *
 * <ol>
 *   <li>Made, with a name that cannot be guessed, for its owner alone.
 *   <li>Locked for as long as the process lives, however it ends.
 *   <li>Deleted by {@link #close}; or by the next process that starts and finds it unlocked.
 * </ol>
 *
 * <p><b>Threads:</b> any.
 */
public final class SharedFolder implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SharedFolder.class);
  private static final Path MEMORY = Path.of("/dev/shm");
  private static final String LOCK = "lock";
  private static final Pattern NAME =
      Pattern.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}");
  private static final Pattern POOL_NAME = Pattern.compile(NAME.pattern() + "\\.kv");

  // A folder without a lock may be on its way to having one.
  private static final Duration UNLOCKED_AGE_MAX = Duration.ofMinutes(1);

  // This process must not so much as open the lock of a folder of its own: closing it would unlock.
  private static final Set<Path> OWN = ConcurrentHashMap.newKeySet();

  private final Path root;
  private final Path path;
  private final FileChannel lock;

  private SharedFolder(Path root, Path path, FileChannel lock) {
    this.root = root;
    this.path = path;
    this.lock = lock;
  }

  /**
   * What processes that are to reach each other share.
   *
   * @param config at {@code stator.transport}
   */
  public static Path root(Config config) {
    final String named = config.getString("shared.folder");
    if (!named.isEmpty()) return Path.of(named);
    final Path parent =
        Files.isWritable(MEMORY) ? MEMORY : Path.of(System.getProperty("java.io.tmpdir"));
    return parent.resolve("stator-" + System.getProperty("user.name"));
  }

  /**
   * Makes a folder below the root, which may be missing, and deletes what dead processes left
   * there.
   *
   * @throws UncheckedIOException when the root cannot be used
   */
  public static SharedFolder open(Path root) {
    try {
      Files.createDirectories(root, only("rwx------"));
      final Path realRoot = root.toRealPath();
      deleteLeftovers(realRoot);
      return create(realRoot);
    } catch (IOException broken) {
      throw new UncheckedIOException("no folder for shared memory in " + root, broken);
    }
  }

  private static SharedFolder create(Path root) throws IOException {
    final Path path = root.resolve(UUID.randomUUID().toString());
    OWN.add(path);
    Files.createDirectory(path, only("rwx------"));
    final Path unlocked = path.resolve("lock.new");
    final FileChannel lock =
        FileChannel.open(
            unlocked,
            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
            only("rw-------"));
    lock.lock();
    Files.move(unlocked, path.resolve(LOCK)); // Whoever finds a lock finds it locked.
    return new SharedFolder(root, path, lock);
  }

  private static FileAttribute<?> only(String permissions) {
    return PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions));
  }

  private static void deleteLeftovers(Path root) throws IOException {
    try (DirectoryStream<Path> folders =
        Files.newDirectoryStream(root, path -> isName(path.getFileName().toString()))) {
      for (Path folder : folders) {
        if (!OWN.contains(folder) && isLeftover(folder)) delete(folder);
      }
    }
  }

  private static boolean isLeftover(Path folder) throws IOException {
    if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) return false;
    final Path lock = folder.resolve(LOCK);
    if (!Files.isRegularFile(lock, LinkOption.NOFOLLOW_LINKS)) {
      final Instant changed =
          Files.getLastModifiedTime(folder, LinkOption.NOFOLLOW_LINKS).toInstant();
      return changed.plus(UNLOCKED_AGE_MAX).isBefore(Instant.now());
    }
    try (FileChannel channel =
            FileChannel.open(lock, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
        FileLock locked = channel.tryLock()) {
      return locked != null;
    } catch (IOException gone) {
      return false; // Somebody else is deleting it.
    }
  }

  private static void delete(Path folder) {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) Files.deleteIfExists(file);
      Files.deleteIfExists(folder);
      LOG.debug("Deleted {}", folder);
    } catch (IOException broken) {
      LOG.warn("Cannot delete {}", folder, broken);
    }
  }

  /** What others need to find it below the same root. */
  public String name() {
    return path.getFileName().toString();
  }

  /** Where pools of this process belong. */
  public Path path() {
    return path;
  }

  /**
   * Memory that other processes' backends can copy from; closed by the caller.
   *
   * @throws UncheckedIOException when there is no room: pages are taken as they are touched, and a
   *     touch that finds none left would end the process
   */
  public SharedMemory allocate(long bytes) {
    try {
      final long usableBytes = Files.getFileStore(path).getUsableSpace();
      if (usableBytes < bytes) {
        throw new IOException(
            root + " has room for " + usableBytes + " bytes where " + bytes + " are wanted");
      }
    } catch (IOException full) {
      throw new UncheckedIOException(full.getMessage(), full);
    }
    return SharedMemory.allocate(path, bytes);
  }

  /** Whether a process's folder could have that name. */
  public static boolean isName(String name) {
    return NAME.matcher(name).matches();
  }

  /** Where this process listens. */
  public Path socket() {
    return path.resolve("socket");
  }

  /** Where the process with this folder listens. */
  public Path socketOf(String name) {
    return root.resolve(name).resolve("socket");
  }

  /**
   * Another process's pool, to be read only.
   *
   * @throws IOException when it is not a plain file of that length and of this user, right below a
   *     folder of that name
   */
  public FileChannel openPool(String name, String poolName, long bytes) throws IOException {
    if (!isName(name) || !POOL_NAME.matcher(poolName).matches()) {
      throw new IOException("not a pool's name: " + name + "/" + poolName);
    }
    final Path folder = root.resolve(name);
    final Path file = folder.resolve(poolName);
    if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
      throw new IOException("not a folder: " + folder);
    }
    final BasicFileAttributes attributes =
        Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    if (!attributes.isRegularFile()) throw new IOException("not a plain file: " + file);
    if (!Files.getOwner(file, LinkOption.NOFOLLOW_LINKS)
        .equals(Files.getOwner(path, LinkOption.NOFOLLOW_LINKS))) {
      throw new IOException("another user's: " + file);
    }
    final FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
    if (bytes <= 0 || channel.size() != bytes) {
      channel.close();
      throw new IOException(file + " has " + attributes.size() + " bytes, not " + bytes);
    }
    return channel;
  }

  /** Deletes it with all that is in it. */
  @Override
  public void close() {
    delete(path);
    try {
      lock.close();
    } catch (IOException broken) {
      LOG.warn("Cannot unlock {}", path, broken);
    }
    OWN.remove(path);
  }
}
