package dev.stator.transport.aeron;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import dev.stator.transport.BlockDelivery;
import dev.stator.transport.BlockLanding;
import dev.stator.transport.BlockSink;
import dev.stator.transport.Grant;
import dev.stator.transport.TapBackend;
import dev.stator.transport.TransferAgent;
import dev.stator.transport.TransferSettings;
import dev.stator.transport.TransferStatus;
import dev.stator.transport.wire.BlockTarget;
import dev.stator.transport.wire.FragmentFlyweight;
import dev.stator.transport.wire.FrameFault;
import dev.stator.transport.wire.HelloFlyweight;
import dev.stator.transport.wire.MessageFlyweight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32C;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Frames, hostile ones too, straight into a link; behind it a real agent and its memory. */
class InboundLinkTest {
  private static final String AGENT = "receiver";
  private static final int BLOCK_BYTES = 100;
  private static final int BLOCKS = 8;
  private static final int GRANTED = 4;
  private static final int PIECE = 40;

  private static final class Ears implements InboundLink.Answers {
    private TransferStatus welcome;
    private final Map<Long, TransferStatus> ends = new HashMap<>();
    private final List<Long> hurried = new ArrayList<>();

    @Override
    public void welcome(TransferStatus status) {
      welcome = status;
    }

    @Override
    public void add(long transferId, TransferStatus status, boolean moreFollows) {
      ends.put(transferId, status);
      if (!moreFollows) hurried.add(transferId);
    }

    @Override
    public int doWork(long nowNs) {
      return 0;
    }

    @Override
    public void close() {}
  }

  private final Arena arena = Arena.ofShared();
  private final MemorySegment memory = arena.allocate(BLOCKS * BLOCK_BYTES);
  private final UnsafeBuffer buffer = new UnsafeBuffer(ByteBuffer.allocateDirect(4096));
  private final Faults faults = new Faults();
  private boolean isMoreToFollow;
  private final Ears ears = new Ears();
  private final Map<String, BlockSink> sinks = new HashMap<>();
  private final byte[] block = new byte[BLOCK_BYTES];
  private TransferAgent agent;
  private int registered;
  private Grant grant;
  private InboundLink link;

  @BeforeEach
  void start() {
    final TapBackend tap = new TapBackend();
    final TransferSettings settings =
        TransferSettings.from(ConfigFactory.load().getConfig("stator.transport"));
    agent = new TransferAgent(AGENT, settings, tap, System::nanoTime, new Random(1));
    final int registered = agent.register(memory, BLOCK_BYTES);
    grant =
        agent.grant(registered, List.of(GRANTED), Duration.ofHours(1), outcome -> {}).orElseThrow();
    sinks.put(AGENT, tap.sink);
    link = new InboundLink(sinks::get, hello -> ears, faults);
    new Random(2).nextBytes(block);
  }

  @AfterEach
  void stop() {
    agent.close();
    arena.close();
  }

  @Test
  void shouldPutPiecesInPlaceWhenTheyComeInOrder() {
    hello(AGENT);
    assertEquals(TransferStatus.OK, ears.welcome);
    sendBlock(1, target());
    assertEquals(Map.of(1L, TransferStatus.OK), ears.ends);
    assertEquals(-1, granted().mismatch(MemorySegment.ofArray(block)));
    assertEquals(Map.of(), faults.counts());
  }

  @Test
  void shouldTakeNothingWhenNobodySaidHello() {
    sendBlock(1, target());
    assertEquals(Map.of(FrameFault.NOT_GREETED, 3L), faults.counts());
    assertUntouched();
  }

  @Test
  void shouldSayUnreachableWhenNobodyHasTheName() {
    hello("nobody");
    assertEquals(TransferStatus.UNREACHABLE, ears.welcome);
    sendBlock(1, target());
    assertEquals(TransferStatus.UNREACHABLE, ears.ends.get(1L));
    assertUntouched();
  }

  @Test
  void shouldRefuseASecondHello() {
    hello(AGENT);
    hello(AGENT);
    assertEquals(Map.of(FrameFault.NOT_GREETED, 1L), faults.counts());
  }

  @Test
  void shouldAnswerOnceAndIgnoreTheRestWhenABlockIsRefused() {
    hello(AGENT);
    final BlockTarget forged =
        new BlockTarget(grant.id(), grant.keyHigh(), grant.keyLow() ^ 1, GRANTED);
    sendBlock(7, forged);
    assertEquals(Map.of(7L, TransferStatus.WRONG_KEY), ears.ends);
    assertEquals(1, agent.stats().rejectedBlocks());
    assertUntouched();
  }

  @Test
  void shouldHurryOnlyWhenNothingFollowsOrTheBlockIsRefused() {
    hello(AGENT);
    isMoreToFollow = true;
    sendBlock(1, target());
    assertEquals(List.of(), ears.hurried);
    sendBlock(2, new BlockTarget(grant.id(), 0, 0, GRANTED));
    assertEquals(List.of(2L), ears.hurried);
    isMoreToFollow = false;
    sendBlock(3, target());
    assertEquals(List.of(2L, 3L), ears.hurried);
  }

  @Test
  void shouldRefuseAPieceOfAnotherTransferOrKeyOrPlace() {
    hello(AGENT);
    piece(1, target(), 0, PIECE, BLOCK_BYTES);
    piece(2, target(), PIECE, PIECE, BLOCK_BYTES);
    piece(1, new BlockTarget(grant.id(), 0, 0, GRANTED), PIECE, PIECE, BLOCK_BYTES);
    piece(1, target(), PIECE + 1, PIECE, BLOCK_BYTES);
    piece(1, target(), PIECE, PIECE, BLOCK_BYTES + 1);
    assertEquals(Map.of(FrameFault.UNKNOWN_TRANSFER, 4L), faults.counts());
    piece(1, target(), PIECE, PIECE, BLOCK_BYTES);
    piece(1, target(), 2 * PIECE, BLOCK_BYTES - 2 * PIECE, BLOCK_BYTES);
    assertEquals(TransferStatus.OK, ears.ends.get(1L));
  }

  @Test
  void shouldTakeABlockAgainWhenItWasDamaged() {
    hello(AGENT);
    block[3] ^= 1;
    piece(1, target(), 0, PIECE, BLOCK_BYTES);
    block[3] ^= 1;
    piece(1, target(), PIECE, PIECE, BLOCK_BYTES);
    piece(1, target(), 2 * PIECE, BLOCK_BYTES - 2 * PIECE, BLOCK_BYTES);
    assertEquals(TransferStatus.BAD_CHECKSUM, ears.ends.get(1L));
    sendBlock(2, target());
    assertEquals(TransferStatus.OK, ears.ends.get(2L));
  }

  @Test
  void shouldPutAMessageTogetherAndRefuseOnesThatOverflow() {
    final List<byte[]> messages = new ArrayList<>();
    sinks.put(AGENT, new MessageSink(sinks.get(AGENT), messages));
    hello(AGENT);
    message(new byte[60], 100, 0);
    message(new byte[40], 100, 60);
    assertEquals(100, messages.getFirst().length);
    message(new byte[60], 100, 0);
    message(new byte[60], 200, 60);
    message(new byte[60], 200, 100);
    assertEquals(1, messages.size());
    assertEquals(
        Map.of(FrameFault.WRONG_LENGTH, 1L, FrameFault.UNKNOWN_TRANSFER, 1L), faults.counts());
  }

  private record MessageSink(BlockSink blocks, List<byte[]> messages) implements BlockSink {
    @Override
    public BlockLanding begin(
        long grantId, long keyHigh, long keyLow, int targetBlock, long blockBytes) {
      return blocks.begin(grantId, keyHigh, keyLow, targetBlock, blockBytes);
    }

    @Override
    public List<TransferStatus> deliverAll(List<BlockDelivery> deliveries) {
      return blocks.deliverAll(deliveries);
    }

    @Override
    public void receive(MemorySegment message) {
      messages.add(message.toArray(ValueLayout.JAVA_BYTE));
    }
  }

  @Test
  void shouldChangeNothingOutsideTheGrantWhateverComes() {
    final Random random = new Random(7);
    hello(AGENT);
    for (int i = 0; i < 50_000; i++) {
      final int at = PIECE * random.nextInt(3);
      final int pieceLength = random.nextInt(4) == 0 ? random.nextInt(200) : PIECE;
      final int length = encodePiece(random.nextInt(3), target(), at, pieceLength, BLOCK_BYTES);
      for (int flips = random.nextInt(4); flips >= 0; flips--) {
        final int where = random.nextInt(FragmentFlyweight.HEADER_LENGTH);
        buffer.putByte(where, (byte) (buffer.getByte(where) ^ 1 << random.nextInt(8)));
      }
      link.onFragment(buffer, 0, random.nextInt(8) == 0 ? random.nextInt(length) : length, null);
      if (random.nextInt(10) == 0) randomBytes(random);
      assertUntouched();
    }
    final long seen = faults.counts().values().stream().mapToLong(Long::longValue).sum();
    assertTrue(seen > 10_000, "faults: " + faults.counts());
    assertTrue(agent.stats().rejectedBlocks() > 100);
    grant();
    sendBlock(99, target());
    assertEquals(TransferStatus.OK, ears.ends.get(99L));
    assertEquals(-1, granted().mismatch(MemorySegment.ofArray(block)));
  }

  private void randomBytes(Random random) {
    final byte[] bytes = new byte[random.nextInt(300)];
    random.nextBytes(bytes);
    buffer.putBytes(0, bytes);
    link.onFragment(buffer, 0, bytes.length, null);
  }

  private void grant() {
    grant =
        agent.grant(registered, List.of(GRANTED), Duration.ofHours(1), outcome -> {}).orElseThrow();
  }

  private BlockTarget target() {
    return new BlockTarget(grant.id(), grant.keyHigh(), grant.keyLow(), GRANTED);
  }

  private void hello(String name) {
    final byte[] bytes = name.getBytes();
    HelloFlyweight.encode(buffer, 0, 5, Channels.REPLY_STREAM_MIN, 0, bytes);
    link.onFragment(buffer, 0, HelloFlyweight.length(bytes), null);
  }

  private void sendBlock(long transferId, BlockTarget target) {
    piece(transferId, target, 0, PIECE, BLOCK_BYTES);
    piece(transferId, target, PIECE, PIECE, BLOCK_BYTES);
    piece(transferId, target, 2 * PIECE, BLOCK_BYTES - 2 * PIECE, BLOCK_BYTES);
  }

  private void piece(long transferId, BlockTarget target, int at, int length, int blockLength) {
    link.onFragment(buffer, 0, encodePiece(transferId, target, at, length, blockLength), null);
  }

  private int encodePiece(
      long transferId, BlockTarget target, int at, int length, int blockLength) {
    FragmentFlyweight.encode(buffer, 0, transferId, target, blockLength, at, length);
    final int present = Math.min(length, Math.max(0, BLOCK_BYTES - at));
    buffer.putBytes(FragmentFlyweight.HEADER_LENGTH, block, Math.min(at, BLOCK_BYTES), present);
    final CRC32C checksum = new CRC32C();
    checksum.update(block, 0, Math.min(BLOCK_BYTES, at + length));
    FragmentFlyweight.encodeChecksum(buffer, 0, (int) checksum.getValue());
    if (isMoreToFollow) FragmentFlyweight.encodeMoreFollows(buffer, 0);
    return FragmentFlyweight.HEADER_LENGTH + length;
  }

  private void message(byte[] piece, int messageLength, int at) {
    MessageFlyweight.encode(buffer, 0, messageLength, at, piece.length);
    buffer.putBytes(MessageFlyweight.HEADER_LENGTH, piece);
    link.onFragment(buffer, 0, MessageFlyweight.HEADER_LENGTH + piece.length, null);
  }

  private MemorySegment granted() {
    return memory.asSlice(GRANTED * BLOCK_BYTES, BLOCK_BYTES);
  }

  /** No byte of a block that was not granted has changed. */
  private void assertUntouched() {
    for (long at = 0; at < memory.byteSize(); at++) {
      if (at / BLOCK_BYTES == GRANTED) continue;
      assertEquals(0, memory.get(ValueLayout.JAVA_BYTE, at));
    }
  }
}
