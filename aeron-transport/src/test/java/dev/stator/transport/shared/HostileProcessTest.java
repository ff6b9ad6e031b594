package dev.stator.transport.shared;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import dev.stator.transport.BlockKernels;
import dev.stator.transport.BlockMove;
import dev.stator.transport.Checksums;
import dev.stator.transport.Grant;
import dev.stator.transport.SharedMemory;
import dev.stator.transport.TransferAgent;
import dev.stator.transport.TransferSettings;
import dev.stator.transport.TransferStatus;
import dev.stator.transport.WriteOutcome;
import dev.stator.transport.local.Frames;
import dev.stator.transport.local.SharedFolder;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A process of the same user that sends what no backend would. */
@Timeout(60)
class HostileProcessTest {
  private static final int BLOCK_BYTES = 4096;
  private static final int BLOCKS = 16;
  private static final String AGENT = "victim";
  @TempDir Path root;
  private TransferSettings settings;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment memory = arena.allocate(BLOCKS * BLOCK_BYTES, 8);
  private final MemorySegment before = arena.allocate(BLOCKS * BLOCK_BYTES, 8);
  private SharedBackend backend;
  private TransferAgent agent;
  private Grant grant; // Of blocks 4 and 5; all others are canaries.
  private SharedFolder folder; // The hostile process's.
  private SharedMemory pool;
  private SocketChannel socket;

  /** {@code stator.transport.kernels}. */
  String kernels() {
    return "auto";
  }

  @BeforeEach
  void start() throws IOException {
    final var config =
        ConfigFactory.parseString("shared.folder = \"" + root + "\"\nkernels = " + kernels())
            .withFallback(ConfigFactory.load().getConfig("stator.transport"));
    backend = SharedBackend.start(SharedSettings.from(config));
    settings = TransferSettings.from(config);
    agent = new TransferAgent(AGENT, settings, backend, System::nanoTime, new Random(1));
    memory.fill((byte) 1);
    before.copyFrom(memory);
    final int id = agent.register(memory, BLOCK_BYTES);
    grant = agent.grant(id, List.of(4, 5), Duration.ofHours(1), outcome -> {}).orElseThrow();
    folder = SharedFolder.open(root);
    pool = folder.allocate(BLOCKS * BLOCK_BYTES);
    pool.segment().fill((byte) 2);
    connect();
  }

  @AfterEach
  void stop() throws IOException {
    socket.close();
    pool.close();
    folder.close();
    agent.close();
    backend.close();
    arena.close();
  }

  private void connect() throws IOException {
    if (socket != null) socket.close();
    final String victim = agent.address().endpoints().get(SharedBackend.NAME);
    socket = SocketChannel.open(StandardProtocolFamily.UNIX);
    socket.connect(UnixDomainSocketAddress.of(folder.socketOf(victim)));
  }

  @Test
  void shouldRefuseEachWrongFieldOfAPostByItsName() throws IOException {
    greet();
    final Post right = new Post();
    assertEquals(TransferStatus.UNKNOWN_GRANT, answer(right.with(p -> p.grantId++)));
    assertEquals(TransferStatus.WRONG_KEY, answer(right.with(p -> p.keyHigh ^= 1)));
    assertEquals(TransferStatus.WRONG_KEY, answer(right.with(p -> p.keyLow ^= 1L << 63)));
    assertEquals(TransferStatus.OUT_OF_RANGE, answer(right.with(p -> p.block = 6)));
    assertEquals(TransferStatus.OUT_OF_RANGE, answer(right.with(p -> p.block = -1)));
    assertEquals(TransferStatus.OUT_OF_RANGE, answer(right.with(p -> p.poolId = 77)));
    assertEquals(TransferStatus.OUT_OF_RANGE, answer(right.with(p -> p.offset = -1)));
    final long end = pool.segment().byteSize();
    assertEquals(TransferStatus.OUT_OF_RANGE, answer(right.with(p -> p.offset = end)));
    assertEquals(TransferStatus.OUT_OF_RANGE, answer(right.with(p -> p.offset = end - 1)));
    assertEquals(TransferStatus.OUT_OF_RANGE, answer(right.with(p -> p.offset = Long.MAX_VALUE)));
    assertEquals(TransferStatus.OUT_OF_RANGE, answer(right.with(p -> p.length = 0)));
    assertEquals(TransferStatus.OUT_OF_RANGE, answer(right.with(p -> p.length = Long.MIN_VALUE)));
    assertEquals(TransferStatus.WRONG_LENGTH, answer(right.with(p -> p.length = 1)));
    assertEquals(TransferStatus.WRONG_LENGTH, answer(right.with(p -> p.length = end)));
    assertEquals(TransferStatus.UNREACHABLE, answer(right.with(p -> p.agent = "nobody")));
    assertUnchanged();
    assertEquals(TransferStatus.BAD_CHECKSUM, answer(right.with(p -> p.checksum ^= 1)));
    assertCanariesAlive();
    assertEquals(TransferStatus.OK, answer(right));
    assertEquals(TransferStatus.OK, answer(right), "a replay changes nothing and says so");
    assertCanariesAlive();
    assertEquals(7, backend.rejected().get(TransferStatus.OUT_OF_RANGE));
    assertEquals(1, backend.rejected().get(TransferStatus.UNREACHABLE));
    assertEquals(2, agent.stats().rejected().get(TransferStatus.WRONG_KEY));
    assertEquals(2, agent.stats().rejected().get(TransferStatus.WRONG_LENGTH));
    assertEquals(2, agent.stats().rejected().get(TransferStatus.OUT_OF_RANGE));
    assertEquals(1, agent.stats().rejected().get(TransferStatus.UNKNOWN_GRANT));
    assertEquals(1, agent.stats().rejected().get(TransferStatus.BAD_CHECKSUM));
  }

  @Test
  void shouldRefuseReplaysWhenTheGrantHasEnded() throws IOException {
    greet();
    final Post right = new Post();
    assertEquals(TransferStatus.OK, answer(right));
    agent.revoke(grant.id());
    memory.fill((byte) 3);
    before.copyFrom(memory);
    assertEquals(TransferStatus.UNKNOWN_GRANT, answer(right));
    assertUnchanged();
  }

  @Test
  void shouldSurviveAPoolThatIsCutShortBehindItsBack() throws IOException {
    greet();
    assertEquals(TransferStatus.OUT_OF_RANGE, answer(new Post().with(p -> p.block = 6)), "mapped");
    try (FileChannel file = FileChannel.open(pool.file(), StandardOpenOption.WRITE)) {
      file.truncate(0);
    }
    final TransferStatus status = answer(new Post());
    assertNotEquals(TransferStatus.OK, status);
    assertCanariesAlive();
    writeHonestly();
  }

  @Test
  void shouldDisconnectWhoSendsSenselessFrames() throws IOException {
    final ByteBuffer hello = hello(folder.name());
    assertRefused(frame((byte) 2, Frames.HELLO, 0, ascii(folder.name())));
    assertRefused(frame(Frames.VERSION, (byte) 77, 0, new byte[0]));
    assertRefused(frame(Frames.VERSION, SharedFrames.POST, 1, new byte[72]));
    assertRefused(hello("../../../../../../../../../etc/passwd"));
    assertRefused(join(hello, hello));
    assertRefused(join(hello, frame(Frames.VERSION, SharedFrames.ANSWER, 0, new byte[0])));
    assertRefused(join(hello, frame(Frames.VERSION, SharedFrames.POST, 2, new byte[72])));
    assertRefused(join(hello, frame(Frames.VERSION, SharedFrames.POST, 65, new byte[8])));
    assertRefused(join(hello, length(Frames.FRAME_LENGTH_MAX + 1)));
    assertRefused(join(hello, length(Integer.MIN_VALUE)));
    assertRefused(join(hello, length(7)));
    assertEquals(11, backend.rejected().get(TransferStatus.MALFORMED));
    assertUnchanged();
    writeHonestly();
  }

  @Test
  void shouldNotMapWhatIsNotAPool() throws IOException {
    final Path secret = Files.write(root.resolve("secret"), new byte[BLOCK_BYTES]);
    final String link = UUID.randomUUID() + ".kv";
    Files.createSymbolicLink(folder.path().resolve(link), secret);
    assertRefusedPool(link, BLOCK_BYTES);
    final String directory = UUID.randomUUID() + ".kv";
    Files.createDirectory(folder.path().resolve(directory));
    assertRefusedPool(directory, BLOCK_BYTES);
    Files.delete(folder.path().resolve(directory));
    assertRefusedPool(UUID.randomUUID() + ".kv", BLOCK_BYTES);
    assertRefusedPool("../../secret" + " ".repeat(27), BLOCK_BYTES);
    assertRefusedPool("/".repeat(39), BLOCK_BYTES);
    final String own = pool.file().getFileName().toString();
    assertRefusedPool(own, BLOCK_BYTES);
    assertRefusedPool(own, 0);
    assertRefusedPool(own, -1);
    writeHonestly();
  }

  @Test
  void shouldChangeNothingWhateverBytesCome() throws IOException {
    final Random random = new Random(23);
    int refused = 0;
    for (int round = 0; round < 300; round++) {
      connect();
      final ByteBuffer bytes = ByteBuffer.allocate(64 * 1024).order(ByteOrder.LITTLE_ENDIAN);
      bytes.put(hello(folder.name())).put(poolFrame(ownName(), pool.segment().byteSize()));
      for (int i = random.nextInt(4); i >= 0; i--) {
        final Post post = new Post();
        post.checksum++; // Never right as it is.
        final ByteBuffer frame = post.frame();
        for (int flips = random.nextInt(4); flips > 0; flips--) {
          frame.put(random.nextInt(frame.limit()), (byte) random.nextInt());
        }
        bytes.put(frame);
      }
      if (random.nextInt(4) == 0) bytes.position(random.nextInt(bytes.position()));
      if (!isAnswered(bytes.flip())) refused++;
    }
    assertTrue(refused > 50, "refused " + refused);
    assertTrue(backend.rejected().get(TransferStatus.MALFORMED) > 50);
    assertCanariesAlive();
    assertEquals(0, agent.stats().receivedBytes());
    writeHonestly();
  }

  /** Sends all of it; whether the other side answered, rather than refused or waited for more. */
  private boolean isAnswered(ByteBuffer bytes) throws IOException {
    try {
      while (bytes.hasRemaining()) socket.write(bytes);
      socket.shutdownOutput();
      final ByteBuffer answer = ByteBuffer.allocate(64 * 1024);
      while (socket.read(answer) >= 0 && answer.hasRemaining()) continue;
      return answer.position() > 0 && answer.get(Frames.KIND_OFFSET) == SharedFrames.ANSWER;
    } catch (IOException closed) {
      return false;
    }
  }

  private void assertRefusedPool(String name, long bytes) throws IOException {
    assertRefused(join(hello(folder.name()), poolFrame(name, bytes)));
  }

  private void assertRefused(ByteBuffer bytes) throws IOException {
    connect();
    socket.write(bytes.duplicate());
    final ByteBuffer answer = ByteBuffer.allocate(4096);
    while (socket.read(answer) >= 0) continue; // Until it hangs up.
    assertTrue(answer.position() > Frames.HEADER_LENGTH, "hung up without a reason");
    assertEquals(Frames.REFUSED, answer.get(Frames.KIND_OFFSET));
  }

  /** Others are still served. */
  private void writeHonestly() throws IOException {
    final SharedBackend other =
        SharedBackend.start(
            new SharedSettings(root, 1, 8, BLOCK_BYTES, BLOCK_BYTES, 8, 8, BlockKernels.best()));
    final TransferAgent writer =
        new TransferAgent("writer", settings, other, System::nanoTime, new Random(2));
    final int id = writer.register(arena.allocate(BLOCK_BYTES, 8).fill((byte) 8), BLOCK_BYTES);
    final var written = new CompletableFuture<WriteOutcome>();
    writer.write(grant, id, List.of(new BlockMove(0, 5)), written::complete);
    final WriteOutcome outcome = written.orTimeout(10, TimeUnit.SECONDS).join();
    assertEquals(TransferStatus.OK, outcome.status());
    assertCanariesAlive();
    writer.close();
    other.close();
  }

  private void assertUnchanged() {
    assertEquals(-1, memory.mismatch(before));
  }

  /** All but the granted blocks. */
  private void assertCanariesAlive() {
    final long from = 4L * BLOCK_BYTES;
    final long to = 6L * BLOCK_BYTES;
    assertEquals(-1, memory.asSlice(0, from).mismatch(before.asSlice(0, from)));
    assertEquals(-1, memory.asSlice(to).mismatch(before.asSlice(to)));
  }

  private String ownName() {
    return pool.file().getFileName().toString();
  }

  private void greet() throws IOException {
    socket.write(hello(folder.name()));
    socket.write(poolFrame(ownName(), pool.segment().byteSize()));
  }

  private TransferStatus answer(Post post) throws IOException {
    socket.write(post.frame());
    final ByteBuffer answer =
        ByteBuffer.allocate(Frames.HEADER_LENGTH + SharedFrames.ANSWER_ENTRY_LENGTH)
            .order(ByteOrder.LITTLE_ENDIAN);
    while (answer.hasRemaining()) assertTrue(socket.read(answer) >= 0, "hung up");
    assertEquals(SharedFrames.ANSWER, answer.get(Frames.KIND_OFFSET));
    assertEquals(post.sequence, answer.getLong(Frames.HEADER_LENGTH));
    return TransferStatus.values()[answer.get(Frames.HEADER_LENGTH + 8)];
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static ByteBuffer hello(String name) {
    return frame(Frames.VERSION, Frames.HELLO, 0, ascii(name));
  }

  private static ByteBuffer poolFrame(String name, long bytes) {
    final ByteBuffer body =
        ByteBuffer.allocate(SharedFrames.POOL_LENGTH).order(ByteOrder.LITTLE_ENDIAN);
    body.putInt(0).putInt(0).putLong(bytes).put(ascii(name));
    return frame(Frames.VERSION, SharedFrames.POOL, 0, body.array());
  }

  private static ByteBuffer frame(byte version, byte kind, int count, byte[] body) {
    final ByteBuffer frame =
        ByteBuffer.allocate(Frames.HEADER_LENGTH + body.length).order(ByteOrder.LITTLE_ENDIAN);
    frame.put(version).put(kind).putShort((short) count).putInt(frame.capacity()).put(body);
    return frame.flip();
  }

  private static ByteBuffer length(int length) {
    return ByteBuffer.allocate(8)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put(Frames.VERSION)
        .put(SharedFrames.MESSAGE)
        .putShort((short) 0)
        .putInt(length)
        .flip();
  }

  private static ByteBuffer join(ByteBuffer first, ByteBuffer second) {
    return ByteBuffer.allocate(first.remaining() + second.remaining())
        .put(first.duplicate())
        .put(second.duplicate())
        .flip();
  }

  /** A post of the pool's first block into the grant's first, right until it is changed. */
  private final class Post {
    long sequence = 5;
    String agent = AGENT;
    long grantId = grant.id();
    long keyHigh = grant.keyHigh();
    long keyLow = grant.keyLow();
    int block = 4;
    int poolId;
    long offset;
    long length = BLOCK_BYTES;
    int checksum = Checksums.crc32c(MemorySegment.ofArray(filled()));

    private static byte[] filled() {
      final byte[] block = new byte[BLOCK_BYTES];
      Arrays.fill(block, (byte) 2);
      return block;
    }

    Post with(Consumer<Post> change) {
      final Post changed = new Post();
      change.accept(changed);
      return changed;
    }

    ByteBuffer frame() {
      final byte[] name = ascii(agent);
      final ByteBuffer body =
          ByteBuffer.allocate(
                  Frames.NAME_HEADER_LENGTH + name.length + SharedFrames.POST_ENTRY_LENGTH)
              .order(ByteOrder.LITTLE_ENDIAN);
      Frames.putName(body, name);
      new SharedFrames.Post(
              sequence, grantId, keyHigh, keyLow, block, poolId, offset, length, checksum)
          .encode(body);
      return HostileProcessTest.frame(Frames.VERSION, SharedFrames.POST, 1, body.array());
    }
  }
}
