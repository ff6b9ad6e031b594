package dev.stator.transport.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import dev.stator.transport.BlockPull;
import dev.stator.transport.DeviceBackends;
import dev.stator.transport.DevicePool;
import dev.stator.transport.Grant;
import dev.stator.transport.GrantOutcome;
import dev.stator.transport.LentBlocks;
import dev.stator.transport.TransferAgent;
import dev.stator.transport.TransferSettings;
import dev.stator.transport.TransferStatus;
import dev.stator.transport.local.Frames;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A receiver, and a writing process that says what it likes. */
@Timeout(60)
class HostileWriterTest {
  private static final int BLOCK_BYTES = 4096;
  private static final int BLOCKS = 16;
  private static final String AGENT = "victim";
  private static final Duration LIFE = Duration.ofHours(1);

  @TempDir Path root;
  private final Arena arena = Arena.ofShared();
  private final AtomicLong nowNs = new AtomicLong();
  private final LentBlocks target = blocks(1);
  private final LentBlocks source = blocks(2);
  private final CompletableFuture<GrantOutcome> granted = new CompletableFuture<>();
  private DeviceIpcBackend backend;
  private TransferAgent agent;
  private int memoryId;
  private Grant grant; // Of blocks 4 and 5; all others are canaries.
  private RawPeer writer;

  private LentBlocks blocks(int value) {
    return new LentBlocks(arena.allocate(BLOCKS * BLOCK_BYTES).fill((byte) value), BLOCK_BYTES);
  }

  @BeforeEach
  void start() throws IOException {
    backend = DeviceBackends.start(root, "peer-blocks-max = 4, pools-max = 2, threads = 1");
    agent =
        new TransferAgent(
            AGENT,
            TransferSettings.from(ConfigFactory.load().getConfig("stator.transport")),
            backend,
            nowNs::get,
            new Random(1));
    memoryId = agent.register(target);
    grant = agent.grant(memoryId, List.of(4, 5), LIFE, granted::complete).orElseThrow();
    writer = new RawPeer(root);
    greet();
  }

  @AfterEach
  void stop() throws IOException {
    writer.close();
    agent.close();
    backend.close();
    assertEquals(target.lender().opens.get(), target.lender().closes.get());
    arena.close();
  }

  private void connect() throws IOException {
    writer.connect(grant.agent().endpoints().get(DeviceIpcBackend.NAME));
  }

  private void greet() throws IOException {
    connect();
    writer.greet();
    writer.send(RawPeer.pool(0, source.lender().handle()));
  }

  private BlockPull pull(int targetBlock, int sourceBlock) {
    return new BlockPull(
        grant.id(), grant.keyHigh(), grant.keyLow(), targetBlock, sourceBlock, BLOCK_BYTES);
  }

  private void post(long sequence, int targetBlock) throws IOException {
    writer.send(RawPeer.post(AGENT, sequence, 0, pull(targetBlock, 3)));
  }

  private TransferStatus answer(BlockPull pull) throws IOException {
    writer.send(RawPeer.post(AGENT, 9, 0, pull));
    return writer.receiveAnswer(9);
  }

  @Test
  void shouldCountABlockWhenItsWriterHasConfirmedAndNotBefore() throws Exception {
    post(7, 4);
    writer.receivePulled(7);
    assertEquals(0, agent.stats().receivedBytes());
    writer.send(RawPeer.confirm(7, true));
    assertEquals(TransferStatus.OK, writer.receiveAnswer(7));
    assertEquals(BLOCK_BYTES, agent.stats().receivedBytes());
    assertMoved(4);
    post(8, 5);
    writer.receivePulled(8);
    assertFalse(granted.isDone());
    writer.send(RawPeer.confirm(8, true));
    assertEquals(TransferStatus.OK, writer.receiveAnswer(8));
    assertEquals(GrantOutcome.Ending.COMPLETE, outcome().ending());
    post(9, 5);
    assertEquals(TransferStatus.UNKNOWN_GRANT, writer.receiveAnswer(9));
  }

  @Test
  void shouldNotCountWhatTheWriterDidNotHold() throws Exception {
    post(7, 4);
    writer.receivePulled(7);
    writer.send(RawPeer.confirm(7, false));
    assertEquals(TransferStatus.CANCELLED, writer.receiveAnswer(7));
    writer.send(RawPeer.confirm(7, true));
    assertEquals(TransferStatus.UNKNOWN_GRANT, writer.receiveAnswer(7), "too late");
    agent.revoke(grant.id());
    assertEquals(0, outcome().arrivedBlocks());
  }

  @Test
  void shouldNotCountWhatAWriterThatDiesHasNotConfirmed() throws Exception {
    post(7, 4);
    writer.receivePulled(7);
    writer.disconnect();
    greet();
    post(1, 5);
    writer.receivePulled(1);
    writer.send(RawPeer.confirm(7, true));
    assertEquals(TransferStatus.UNKNOWN_GRANT, writer.receiveAnswer(7), "another life's");
    writer.send(RawPeer.confirm(1, true));
    assertEquals(TransferStatus.OK, writer.receiveAnswer(1));
    agent.revoke(grant.id());
    assertEquals(new GrantOutcome(grant.id(), GrantOutcome.Ending.REVOKED, 1, 0), outcome());
  }

  /** Between pull and confirmation nobody writes: the grant's blocks are free at once. */
  @Test
  void shouldTellTheGrantsEndAtOnceWhileABlockWaitsAndCountItNoMore() throws Exception {
    post(7, 4);
    writer.receivePulled(7);
    agent.revoke(grant.id());
    assertEquals(new GrantOutcome(grant.id(), GrantOutcome.Ending.REVOKED, 0, 0), outcome());
    writer.send(RawPeer.confirm(7, true));
    assertEquals(TransferStatus.UNKNOWN_GRANT, writer.receiveAnswer(7));
    assertEquals(0, agent.stats().receivedBytes());
  }

  @Test
  void shouldNotCountAConfirmationBehindTheGrantsLife() throws Exception {
    post(7, 4);
    writer.receivePulled(7);
    nowNs.addAndGet(LIFE.toNanos()); // Nobody has polled.
    writer.send(RawPeer.confirm(7, true));
    assertEquals(TransferStatus.UNKNOWN_GRANT, writer.receiveAnswer(7));
    assertEquals(GrantOutcome.Ending.EXPIRED, outcome().ending());
  }

  @Test
  void shouldTellTheGrantsEndWhenThePullIsOver() throws Exception {
    target.lender().onPull =
        () -> {
          nowNs.addAndGet(LIFE.toNanos());
          agent.poll();
          assertFalse(granted.isDone());
        };
    post(7, 4);
    writer.receivePulled(7);
    assertEquals(new GrantOutcome(grant.id(), GrantOutcome.Ending.EXPIRED, 0, 0), outcome());
    writer.send(RawPeer.confirm(7, true));
    assertEquals(TransferStatus.UNKNOWN_GRANT, writer.receiveAnswer(7));
  }

  @Test
  void shouldLetAnotherTakeOverABlockThatWaits() throws Exception {
    post(7, 4);
    writer.receivePulled(7);
    writer.send(RawPeer.post(AGENT, 8, 0, pull(4, 6)));
    writer.receivePulled(8);
    writer.send(RawPeer.confirm(7, true));
    assertEquals(TransferStatus.BUSY, writer.receiveAnswer(7));
    writer.send(RawPeer.confirm(8, true));
    assertEquals(TransferStatus.OK, writer.receiveAnswer(8));
    post(9, 4);
    assertEquals(TransferStatus.OK, writer.receiveAnswer(9), "a repeat touches nothing");
    assertEquals(2, target.lender().pulled.get());
  }

  @Test
  void shouldRefuseEachWrongFieldOfAPostByItsName() throws Exception {
    final BlockPull right = pull(4, 3);
    final long id = grant.id();
    final long high = grant.keyHigh();
    final long low = grant.keyLow();
    assertEquals(
        TransferStatus.UNKNOWN_GRANT, answer(new BlockPull(id + 1, high, low, 4, 3, BLOCK_BYTES)));
    assertEquals(
        TransferStatus.WRONG_KEY, answer(new BlockPull(id, high ^ 1, low, 4, 3, BLOCK_BYTES)));
    assertEquals(
        TransferStatus.WRONG_KEY, answer(new BlockPull(id, high, ~low, 4, 3, BLOCK_BYTES)));
    for (int block : new int[] {6, -1, BLOCKS}) {
      assertEquals(TransferStatus.OUT_OF_RANGE, answer(pull(block, 3)));
    }
    for (int block : new int[] {-1, BLOCKS, Integer.MIN_VALUE}) {
      assertEquals(TransferStatus.OUT_OF_RANGE, answer(pull(4, block)));
    }
    for (long bytes : new long[] {0, -1, 1, BLOCK_BYTES + 1, Long.MAX_VALUE}) {
      assertEquals(TransferStatus.WRONG_LENGTH, answer(new BlockPull(id, high, low, 4, 3, bytes)));
    }
    writer.send(RawPeer.post(AGENT, 5, 1, right));
    assertEquals(TransferStatus.OUT_OF_RANGE, writer.receiveAnswer(5));
    writer.send(RawPeer.post("nobody", 6, 0, right));
    assertEquals(TransferStatus.UNREACHABLE, writer.receiveAnswer(6));
    writer.send(RawPeer.confirm(99, true));
    assertEquals(TransferStatus.UNKNOWN_GRANT, writer.receiveAnswer(99));
    assertEquals(0, target.lender().pulled.get());
    assertCanariesAlive();
    writeHonestly();
  }

  @Test
  void shouldRefuseAForgedHandleAndSayForWhom() throws Exception {
    writer.send(RawPeer.pool(1, new byte[DevicePool.HANDLE_BYTES_MAX]));
    for (int i = 0; i < 2; i++) {
      writer.send(RawPeer.post(AGENT, i, 1, pull(4, 3)));
      final ByteBuffer refused = writer.receive(DeviceFrames.POOL_REFUSED);
      assertEquals(AGENT, Frames.getName(refused));
      assertEquals(1, refused.getInt());
      assertEquals(TransferStatus.UNREACHABLE, writer.receiveAnswer(i));
    }
    assertEquals(1, target.lender().opens.getAndSet(0), "opened once");
    writeHonestly();
  }

  @Test
  void shouldDisconnectWhoSendsSenselessFrames() throws Exception {
    final byte[] handle = source.lender().handle();
    final ByteBuffer hello = RawPeer.hello(writer.folder.name());
    assertRefused(RawPeer.pool(0, handle));
    assertRefused(RawPeer.hello("../".repeat(12)));
    assertRefused(hello, hello);
    assertRefused(hello, RawPeer.frame(DeviceFrames.ANSWER, 0, new byte[0]));
    assertRefused(hello, RawPeer.pool(0, new byte[0]));
    assertRefused(hello, RawPeer.pool(0, new byte[DevicePool.HANDLE_BYTES_MAX + 1]));
    assertRefused(hello, RawPeer.pool(0, handle.length + 1, handle));
    assertRefused(hello, RawPeer.pool(0, -1, handle));
    assertRefused(hello, RawPeer.frame(DeviceFrames.POOL, 0, new byte[7]));
    assertRefused(hello, RawPeer.pool(0, handle), RawPeer.pool(0, handle));
    assertRefused(hello, RawPeer.pool(0, handle), RawPeer.pool(1, handle), RawPeer.pool(2, handle));
    assertRefused(hello, RawPeer.frame(DeviceFrames.POOL_CLOSED, 0, new byte[4]));
    assertRefused(hello, RawPeer.frame(DeviceFrames.POST, 2, new byte[72]));
    assertRefused(hello, RawPeer.frame(DeviceFrames.CONFIRM, 2, new byte[16]));
    final ByteBuffer post = RawPeer.post(AGENT, 1, 0, pull(4, 3));
    assertRefused(hello, RawPeer.pool(0, handle), post, post);
    assertEquals(15, backend.rejected().get(TransferStatus.MALFORMED));
    assertCanariesAlive();
    greet();
    writeHonestly();
  }

  @Test
  void shouldPushBackWhoConfirmsNothing() throws Exception {
    for (int i = 0; i < 4; i++) {
      post(i, 4);
      writer.receivePulled(i);
    }
    post(4, 5);
    assertEquals(TransferStatus.BACK_PRESSURED, writer.receiveAnswer(4));
    for (int i = 0; i < 4; i++) {
      writer.send(RawPeer.confirm(i, false));
      assertEquals(TransferStatus.CANCELLED, writer.receiveAnswer(i));
    }
    writeHonestly();
  }

  @Test
  void shouldTakeFramesThatComeInPieces() throws Exception {
    connect();
    writer.sendTorn(RawPeer.hello(writer.folder.name()));
    writer.sendTorn(RawPeer.pool(3, source.lender().handle()));
    writer.sendTorn(RawPeer.post(AGENT, 7, 3, pull(4, 3)));
    writer.receivePulled(7);
    writer.sendTorn(RawPeer.confirm(7, true));
    assertEquals(TransferStatus.OK, writer.receiveAnswer(7));
    assertMoved(4);
  }

  @Test
  void shouldChangeNothingButGrantedBlocksWhateverBytesCome() throws Exception {
    final Random random = new Random(29);
    for (int round = 0; round < 300; round++) {
      connect();
      final ByteBuffer bytes = ByteBuffer.allocate(8192).order(ByteOrder.LITTLE_ENDIAN);
      bytes.put(RawPeer.hello(writer.folder.name()));
      bytes.put(RawPeer.pool(0, source.lender().handle()));
      for (int i = random.nextInt(4); i >= 0; i--) {
        final ByteBuffer frame =
            random.nextBoolean()
                ? RawPeer.post(AGENT, i, 0, pull(random.nextInt(BLOCKS), 3))
                : RawPeer.confirm(i, random.nextBoolean());
        for (int flips = random.nextInt(4); flips > 0; flips--) {
          frame.put(random.nextInt(frame.limit()), (byte) random.nextInt());
        }
        bytes.put(frame);
      }
      if (random.nextInt(4) == 0) bytes.position(random.nextInt(bytes.position()));
      writer.exchange(bytes.flip());
    }
    assertTrue(backend.rejected().get(TransferStatus.MALFORMED) > 50);
    assertCanariesAlive();
  }

  @Test
  void shouldLetGoOfAPoolThatClosesAndOfAllWithTheConnection() throws Exception {
    post(7, 4);
    writer.receivePulled(7);
    assertEquals(1, target.lender().opens.get());
    writer.send(RawPeer.id(DeviceFrames.POOL_CLOSED, 0));
    assertEquals(0, writer.receive(DeviceFrames.POOL_RELEASED).getInt());
    assertEquals(1, target.lender().closes.get());
    post(8, 5);
    assertEquals(TransferStatus.OUT_OF_RANGE, writer.receiveAnswer(8));
    writer.send(RawPeer.id(DeviceFrames.POOL_CLOSED, 77));
    assertEquals(77, writer.receive(DeviceFrames.POOL_RELEASED).getInt(), "never heard of");
  }

  @Test
  void shouldLetGoOfPoolsBeforeTheMemoryThatPullsGoes() throws Exception {
    post(7, 4);
    writer.receivePulled(7);
    agent.deregister(memoryId);
    assertEquals(1, target.lender().closes.get());
    writer.send(RawPeer.confirm(7, true));
    assertEquals(TransferStatus.UNKNOWN_GRANT, writer.receiveAnswer(7));
  }

  private GrantOutcome outcome() throws Exception {
    return granted.get(10, TimeUnit.SECONDS);
  }

  private void assertRefused(ByteBuffer... frames) throws IOException {
    connect();
    final ByteBuffer bytes = ByteBuffer.allocate(4096);
    for (ByteBuffer frame : frames) bytes.put(frame.duplicate());
    final ByteBuffer answer = writer.exchange(bytes.flip());
    byte last = 0;
    while (answer.hasRemaining()) {
      last = answer.get(answer.position() + Frames.KIND_OFFSET);
      answer.position(answer.position() + answer.getInt(answer.position() + Frames.LENGTH_OFFSET));
    }
    assertEquals(Frames.REFUSED, last, "hung up without a reason");
  }

  /** What makes sense is still done, over the same connection. */
  private void writeHonestly() throws IOException {
    post(1000, 5);
    writer.receivePulled(1000);
    writer.send(RawPeer.confirm(1000, true));
    assertEquals(TransferStatus.OK, writer.receiveAnswer(1000));
    assertMoved(5);
    assertCanariesAlive();
  }

  private void assertMoved(int block) {
    final MemorySegment bytes = target.region().asSlice((long) block * BLOCK_BYTES, BLOCK_BYTES);
    assertEquals(-1, bytes.mismatch(source.region().asSlice(0, BLOCK_BYTES)));
  }

  /** All but the granted blocks. */
  private void assertCanariesAlive() {
    for (long at = 0; at < target.region().byteSize(); at++) {
      final long block = at / BLOCK_BYTES;
      if (block == 4 || block == 5) continue;
      final byte value = target.region().get(ValueLayout.JAVA_BYTE, at);
      assertEquals(1, value, () -> "block " + block + " has changed");
    }
  }
}
