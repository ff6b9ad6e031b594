package dev.stator.transport.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.typesafe.config.ConfigFactory;
import dev.stator.transport.AgentAddress;
import dev.stator.transport.BlockGeometry;
import dev.stator.transport.BlockMove;
import dev.stator.transport.DeviceBackends;
import dev.stator.transport.Grant;
import dev.stator.transport.HostId;
import dev.stator.transport.LentBlocks;
import dev.stator.transport.TransferAgent;
import dev.stator.transport.TransferSettings;
import dev.stator.transport.TransferStatus;
import dev.stator.transport.WriteOutcome;
import dev.stator.transport.local.Frames;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A writer, and a receiving process that says what it likes. */
@Timeout(60)
class HostileReceiverTest {
  private static final int BLOCK_BYTES = 4096;
  private static final int BLOCKS = 64;

  @TempDir Path root;
  private final Arena arena = Arena.ofShared();
  private final AtomicLong nowNs = new AtomicLong();
  private final TransferSettings settings =
      TransferSettings.from(ConfigFactory.load().getConfig("stator.transport"));
  private final LentBlocks source =
      new LentBlocks(arena.allocate(BLOCKS * BLOCK_BYTES), BLOCK_BYTES);
  private final CompletableFuture<WriteOutcome> written = new CompletableFuture<>();
  private DeviceIpcBackend backend;
  private TransferAgent agent;
  private RawPeer receiver;
  private Grant grant; // Of all blocks.
  private int memoryId;
  private long writeId;

  @BeforeEach
  void start() throws IOException {
    receiver = new RawPeer(root);
    start("release-timeout = 1h");
  }

  private void start(String overrides) {
    backend = DeviceBackends.start(root, overrides);
    agent = new TransferAgent("writer", settings, backend, nowNs::get, new Random(1));
    memoryId = agent.register(source);
    grant =
        new Grant(
            new AgentAddress(
                "reader", HostId.current(), Map.of(DeviceIpcBackend.NAME, receiver.folder.name())),
            1,
            2,
            3,
            IntStream.range(0, BLOCKS).boxed().toList(),
            new BlockGeometry(BLOCK_BYTES, BlockGeometry.PLAIN),
            Duration.ofMinutes(1));
  }

  @AfterEach
  void stop() throws IOException {
    receiver.close(); // Who is gone is not waited for.
    agent.close();
    backend.close();
    arena.close();
  }

  /** Posts block 5 into block 6; returns its number. */
  private long post() throws IOException {
    writeId = agent.write(grant, memoryId, List.of(new BlockMove(5, 6)), written::complete);
    receiver.accept();
    assertEquals(Frames.FOLDER_NAME_LENGTH, receiver.receive(Frames.HELLO).remaining());
    final ByteBuffer pool = receiver.receive(DeviceFrames.POOL);
    final byte[] handle = new byte[pool.getInt(4)];
    pool.position(DeviceFrames.POOL_HEADER_LENGTH).get(handle);
    assertEquals(Arrays.toString(source.lender().handle()), Arrays.toString(handle));
    final DeviceFrames.Post post = receiver.receivePosts().getFirst();
    assertEquals(5, post.pull().sourceBlock());
    assertEquals(6, post.pull().targetBlock());
    assertEquals(BLOCK_BYTES, post.pull().blockBytes());
    return post.sequence();
  }

  private boolean isConfirmed(long sequence) throws IOException {
    receiver.send(RawPeer.pulled(sequence));
    final ByteBuffer confirmed = receiver.receive(DeviceFrames.CONFIRM);
    assertEquals(sequence, confirmed.getLong());
    return confirmed.getLong() == 1;
  }

  private WriteOutcome outcome() throws Exception {
    return written.get(10, TimeUnit.SECONDS);
  }

  @Test
  void shouldConfirmWhatTheWriteHasHeldAllTheWhile() throws Exception {
    final long sequence = post();
    assertEquals(true, isConfirmed(sequence));
    assertFalse(written.isDone());
    receiver.send(RawPeer.answer(sequence, 1));
    assertEquals(TransferStatus.OK, outcome().status());
    assertFalse(isConfirmed(sequence), "it has been given to others since");
  }

  @Test
  void shouldNotConfirmWhatWasWithdrawnUnderThePull() throws Exception {
    final long sequence = post();
    agent.cancel(writeId);
    assertEquals(TransferStatus.CANCELLED, outcome().status());
    assertFalse(isConfirmed(sequence));
  }

  @Test
  void shouldNotConfirmWhatHasTimedOut() throws Exception {
    final long sequence = post();
    nowNs.addAndGet(settings.writeTimeout().toNanos());
    agent.poll();
    assertEquals(TransferStatus.TIMED_OUT, outcome().status());
    assertFalse(isConfirmed(sequence));
  }

  @Test
  void shouldNotConfirmWhatItHasNotPosted() throws Exception {
    final long sequence = post();
    assertFalse(isConfirmed(sequence + 1));
    assertFalse(isConfirmed(-1));
    assertEquals(true, isConfirmed(sequence));
  }

  @Test
  void shouldEndItsBlocksAtOnceWhenTheReceiverIsGone() throws Exception {
    post();
    receiver.disconnect();
    assertEquals(TransferStatus.UNREACHABLE, outcome().status());
  }

  @Test
  void shouldDisconnectWhoSendsSenselessFrames() throws Exception {
    final ByteBuffer[] senseless = {
      RawPeer.frame(DeviceFrames.PULLED, 2, new byte[8]),
      RawPeer.frame(DeviceFrames.ANSWER, 1, new byte[8]),
      RawPeer.answer(0, 99),
      RawPeer.frame(DeviceFrames.POOL_REFUSED, 0, new byte[8]),
      RawPeer.frame(DeviceFrames.POOL_RELEASED, 0, new byte[0]),
      RawPeer.frame(DeviceFrames.POST, 0, new byte[8])
    };
    for (ByteBuffer frame : senseless) {
      final var ended = new CompletableFuture<WriteOutcome>();
      agent.write(grant, memoryId, List.of(new BlockMove(0, 0)), ended::complete);
      receiver.accept();
      receiver.send(frame);
      assertEquals(TransferStatus.UNREACHABLE, ended.get(10, TimeUnit.SECONDS).status());
      receiver.disconnect();
    }
    assertEquals(senseless.length, backend.rejected().get(TransferStatus.MALFORMED));
  }

  @Test
  void shouldKeepTheMemoryUntilTheReceiverHasLetItGo() throws Exception {
    post();
    final var deregistered =
        CompletableFuture.runAsync(() -> agent.deregister(memoryId), Thread::startVirtualThread);
    assertEquals(0, receiver.receive(DeviceFrames.POOL_CLOSED).getInt());
    assertEquals(TransferStatus.CANCELLED, outcome().status());
    assertFalse(deregistered.isDone());
    receiver.send(RawPeer.id(DeviceFrames.POOL_RELEASED, 0));
    deregistered.get(10, TimeUnit.SECONDS);
  }

  @Test
  void shouldNotWaitForAReceiverThatHangsOrIsGone() throws Exception {
    stopWriter();
    start("release-timeout = 1ms");
    post();
    agent.deregister(memoryId);
    memoryId = agent.register(source);
    final var second = new CompletableFuture<WriteOutcome>();
    agent.write(grant, memoryId, List.of(new BlockMove(0, 0)), second::complete);
    receiver.disconnect();
    assertEquals(TransferStatus.UNREACHABLE, second.get(10, TimeUnit.SECONDS).status());
    agent.deregister(memoryId);
  }

  private void stopWriter() {
    agent.close();
    backend.close();
  }

  @Test
  void shouldPostAWindowAndTheRestBehindAnswers() throws Exception {
    stopWriter();
    start("window = " + 8 * BLOCK_BYTES);
    final List<BlockMove> moves =
        IntStream.range(0, 12).mapToObj(block -> new BlockMove(block, block)).toList();
    agent.write(grant, memoryId, moves, written::complete);
    receiver.accept();
    receiver.receive(Frames.HELLO);
    receiver.receive(DeviceFrames.POOL);
    for (int answered = 0, posted = 0; answered < 12; ) {
      while (posted < Math.min(12, answered + 8)) posted += receiver.receivePosts().size();
      assertEquals(Math.min(12, answered + 8), posted, "more than a window");
      for (int i = 0; i < 4; i++) receiver.send(RawPeer.answer(answered++, 1));
    }
    assertEquals(12, outcome().writtenBlocks());
  }
}
