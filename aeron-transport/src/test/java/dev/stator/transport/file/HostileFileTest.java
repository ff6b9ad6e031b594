package dev.stator.transport.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.transport.Checksums;
import dev.stator.transport.Grant;
import dev.stator.transport.TransferAgent;
import dev.stator.transport.TransferSettings;
import dev.stator.transport.TransferStatus;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Files that no backend would write. */
@Timeout(60)
class HostileFileTest {
  private static final int BLOCK_BYTES = 256;
  private static final int BLOCKS = 16;
  private static final String AGENT = "victim";
  private static final byte[] RIGHT = new byte[BLOCK_BYTES];
  private static final Duration STALE = Duration.ofMinutes(1);
  private static final TransferSettings SETTINGS =
      new TransferSettings(8, 8, 32, 64, Duration.ofSeconds(5), Duration.ofMillis(10), 1);

  @TempDir Path root;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment memory = arena.allocate(BLOCKS * BLOCK_BYTES);
  private final MemorySegment before = arena.allocate(BLOCKS * BLOCK_BYTES);
  private FileBackend backend;
  private TransferAgent agent;
  private Grant grant; // Of blocks 4 and 5; all others are canaries.
  private FileFolder sender;
  private Path inbox;
  private int files;

  @BeforeEach
  void start() {
    Arrays.fill(RIGHT, (byte) 2);
    backend =
        FileBackend.start(
            new FileSettings(root, Duration.ofMillis(1), Duration.ofMillis(2), 64, STALE));
    agent = new TransferAgent(AGENT, SETTINGS, backend, System::nanoTime, new Random(1));
    memory.fill((byte) 1);
    before.copyFrom(memory);
    final int id = agent.register(memory, BLOCK_BYTES);
    grant = agent.grant(id, List.of(4, 5), Duration.ofHours(1), outcome -> {}).orElseThrow();
    sender = FileFolder.open(root, STALE);
    inbox = root.resolve(agent.address().endpoints().get(FileBackend.NAME));
  }

  @AfterEach
  void stop() {
    sender.close();
    agent.close();
    backend.close();
    arena.close();
  }

  @Test
  void shouldRefuseEachWrongFieldByItsName() throws IOException {
    put(header(grant.id() + 1, grant.keyHigh(), 4, RIGHT), RIGHT);
    put(header(grant.id(), grant.keyHigh() ^ 1, 4, RIGHT), RIGHT);
    put(header(grant.id(), grant.keyHigh(), 6, RIGHT), RIGHT);
    final byte[] longer = new byte[BLOCK_BYTES + 1];
    put(header(grant.id(), grant.keyHigh(), 4, longer), longer);
    awaitRead();
    assertUnchanged(0, BLOCKS);
    final byte[] wrong = RIGHT.clone();
    wrong[9]++;
    put(header(grant.id(), grant.keyHigh(), 4, RIGHT), wrong);
    awaitRead();
    assertCanariesAlive();
    assertEquals(
        Map.of(
            TransferStatus.UNKNOWN_GRANT,
            1L,
            TransferStatus.WRONG_KEY,
            1L,
            TransferStatus.OUT_OF_RANGE,
            1L,
            TransferStatus.WRONG_LENGTH,
            1L,
            TransferStatus.BAD_CHECKSUM,
            1L),
        agent.stats().rejected());
    put(header(grant.id(), grant.keyHigh(), 4, RIGHT), RIGHT);
    put(header(grant.id(), grant.keyHigh(), 4, RIGHT), RIGHT); // A replay.
    awaitRead();
    assertEquals(BLOCK_BYTES, agent.stats().receivedBytes());
    assertCanariesAlive();
  }

  @Test
  void shouldRefuseWhatIsCutShortOrTooLongOrNoFileOfOurs() throws IOException {
    final FileHeader right = header(grant.id(), grant.keyHigh(), 4, RIGHT);
    put(right, Arrays.copyOf(RIGHT, BLOCK_BYTES - 1));
    put(right, Arrays.copyOf(RIGHT, BLOCK_BYTES + 1));
    put(FileHeader.plain(FileHeader.MESSAGE, AGENT, 0, Long.MAX_VALUE), RIGHT);
    put(FileHeader.plain(FileHeader.ANSWER, "", 0, Long.MAX_VALUE), RIGHT);
    Files.write(inbox.resolve(name()), right.encode().array());
    Files.write(inbox.resolve(name()), Arrays.copyOf(right.encode().array(), 20));
    Files.write(inbox.resolve("stranger"), RIGHT);
    Files.createSymbolicLink(inbox.resolve(name()), root.resolve("elsewhere"));
    awaitRead();
    assertUnchanged(0, BLOCKS);
    assertEquals(5, backend.rejected().get(TransferStatus.WRONG_LENGTH));
    assertEquals(3, backend.rejected().get(TransferStatus.MALFORMED));
  }

  @Test
  void shouldChangeNothingWhateverBytesCome() throws IOException {
    final Random random = new Random(29);
    for (int i = 0; i < 1000; i++) {
      final byte[] header = header(grant.id(), grant.keyHigh(), 4, RIGHT).encode().array();
      final byte[] body = RIGHT.clone();
      body[random.nextInt(body.length)]++; // Never right.
      for (int flips = random.nextInt(4); flips > 0; flips--) {
        header[random.nextInt(header.length)] = (byte) random.nextInt();
      }
      sender.put(inbox.getFileName().toString(), ByteBuffer.wrap(header), ByteBuffer.wrap(body));
    }
    awaitRead();
    assertCanariesAlive();
    assertEquals(0, agent.stats().receivedBytes());
    final long refused =
        agent.stats().rejectedBlocks()
            + backend.rejected().values().stream().mapToLong(Long::longValue).sum();
    assertTrue(refused >= 950, "refused " + refused); // Some become messages nobody sent.
  }

  @Test
  void shouldDeleteInboxesThatHaveBeenSilentForLong() throws IOException {
    final Path dead = Files.createDirectory(root.resolve(UUID.randomUUID().toString()));
    final Path alive = Files.createFile(dead.resolve("alive"));
    Files.write(dead.resolve(name()), RIGHT);
    final Path elsewhere = Files.createDirectory(root.resolve("elsewhere"));
    final FileTime longAgo = FileTime.from(Instant.now().minus(STALE.multipliedBy(2)));
    Files.setLastModifiedTime(elsewhere, longAgo);
    FileFolder.open(root, STALE).close();
    assertTrue(Files.exists(dead));
    Files.setLastModifiedTime(alive, longAgo);
    FileFolder.open(root, STALE).close();
    assertTrue(Files.notExists(dead));
    assertTrue(Files.exists(inbox) && Files.exists(elsewhere));
  }

  private FileHeader header(long grantId, long keyHigh, int block, byte[] body) {
    return new FileHeader(
        FileHeader.BLOCK,
        AGENT,
        Checksums.crc32c(MemorySegment.ofArray(body)),
        files,
        grantId,
        keyHigh,
        grant.keyLow(),
        block,
        body.length);
  }

  private void put(FileHeader header, byte[] body) throws IOException {
    sender.put(inbox.getFileName().toString(), header.encode(), ByteBuffer.wrap(body));
  }

  private String name() {
    return String.format("%s-%016x", UUID.randomUUID(), files++);
  }

  /** Nothing is left but what says that its owner lives. */
  private void awaitRead() throws IOException {
    final long startNs = System.nanoTime();
    while (true) {
      try (Stream<Path> left = Files.list(inbox)) {
        if (left.count() == 1) return;
      }
      assertTrue(System.nanoTime() - startNs < TimeUnit.SECONDS.toNanos(20), "not read");
      LockSupport.parkNanos(1_000_000);
    }
  }

  private void assertUnchanged(int from, int to) {
    final long offset = (long) from * BLOCK_BYTES;
    final long length = (long) (to - from) * BLOCK_BYTES;
    assertEquals(-1, memory.asSlice(offset, length).mismatch(before.asSlice(offset, length)));
  }

  private void assertCanariesAlive() {
    assertUnchanged(0, 4);
    assertUnchanged(6, BLOCKS);
  }
}
