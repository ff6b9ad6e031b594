package dev.stator.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What holds for two agents over any backend that loses nothing. */
abstract class TransferBackendContract {
  static final TransferSettings SETTINGS =
      new TransferSettings(8, 8, 32, 64, Duration.ofSeconds(2), Duration.ofMillis(10), 1);
  static final TransferSettings BY_JAVA =
      new TransferSettings(
          8, 8, 32, 64, Duration.ofSeconds(2), Duration.ofMillis(10), 1, new JavaBlockKernels(""));
  static final Duration LIFE = Duration.ofSeconds(10);
  static final int BLOCK_BYTES = 200;
  static final int BLOCKS = 40;

  private final Arena arena = Arena.ofShared();
  private final Random random = new Random(3);
  private final MemorySegment targetMemory = arena.allocate(BLOCK_BYTES * BLOCKS);
  private final MemorySegment targetBefore = arena.allocate(BLOCK_BYTES * BLOCKS);
  private final CompletableFuture<GrantOutcome> granted = new CompletableFuture<>();
  private final CompletableFuture<ExportOutcome> exported = new CompletableFuture<>();
  private TransferBackend backend;
  private MemorySegment sourceMemory;
  private TransferAgent writer;
  private TransferAgent receiver;
  private int source;
  private int target;

  abstract TransferBackend backend();

  /** Where the writer's blocks lie; a backend may want them in memory of its own. */
  BlockMemory sourceBlocks(MemorySegment usual) {
    return BlockMemory.of(usual, BLOCK_BYTES);
  }

  BlockMemory targetBlocks(MemorySegment usual) {
    return BlockMemory.of(usual, BLOCK_BYTES);
  }

  /** Of both agents. */
  TransferSettings agentSettings() {
    return SETTINGS;
  }

  /** The agents are closed. */
  void stopped() {}

  /** So is the backend. */
  void closed() {}

  @BeforeEach
  void start() {
    start(backend());
  }

  /** Once more, over another backend around that of {@link #backend}. */
  void restart(UnaryOperator<TransferBackend> around) {
    writer.close();
    receiver.close();
    start(around.apply(backend));
  }

  private void start(TransferBackend over) {
    backend = over;
    writer = new TransferAgent("writer", agentSettings(), backend, System::nanoTime, random);
    receiver = new TransferAgent("receiver", agentSettings(), backend, System::nanoTime, random);
    final MemorySegment usual = arena.allocate(BLOCK_BYTES * BLOCKS);
    final BlockMemory blocks = sourceBlocks(usual);
    sourceMemory = blocks instanceof BlockRegion place ? place.region() : usual;
    source = writer.register(blocks);
    target = receiver.register(targetBlocks(targetMemory));
    for (long i = 0; i < sourceMemory.byteSize(); i++) {
      sourceMemory.set(ValueLayout.JAVA_BYTE, i, (byte) random.nextInt());
      targetMemory.set(ValueLayout.JAVA_BYTE, i, (byte) random.nextInt());
    }
    targetBefore.copyFrom(targetMemory);
  }

  @AfterEach
  void stop() {
    writer.close();
    receiver.close();
    stopped();
    backend.close();
    arena.close();
    closed();
  }

  @Test
  void shouldTellBothSidesOnceWhenAllBlocksHaveArrived() throws Exception {
    final Grant grant = grant(List.of(7, 3, 5));
    final WriteOutcome written =
        write(grant, new BlockMove(0, 7), new BlockMove(1, 3), new BlockMove(2, 5));
    assertEquals(TransferStatus.OK, written.status());
    assertEquals(3, written.writtenBlocks());
    assertEquals(new GrantOutcome(grant.id(), GrantOutcome.Ending.COMPLETE, 3, 3), await(granted));
    assertMoved(new BlockMove(0, 7), new BlockMove(1, 3), new BlockMove(2, 5));
    assertEquals(3L * BLOCK_BYTES, receiver.stats().receivedBytes());
    assertEquals(3L * BLOCK_BYTES, writer.stats().sentBytes());
    assertEquals(0, receiver.stats().openGrants());
    assertEquals(0, writer.stats().inFlightBlocks());
  }

  @Test
  void shouldTakeBlocksInWritesOfTheirOwnAndInAnyOrder() throws Exception {
    final Grant grant = grant(List.of(10, 11, 12));
    assertEquals(TransferStatus.OK, write(grant, new BlockMove(4, 12)).status());
    assertEquals(TransferStatus.OK, write(grant, new BlockMove(5, 10)).status());
    assertFalse(granted.isDone());
    assertEquals(TransferStatus.OK, write(grant, new BlockMove(6, 11)).status());
    assertEquals(GrantOutcome.Ending.COMPLETE, await(granted).ending());
    assertMoved(new BlockMove(4, 12), new BlockMove(5, 10), new BlockMove(6, 11));
  }

  @Test
  void shouldCountTheBlocksBeforeTheFirstHoleWhenRevoked() throws Exception {
    final Grant grant = grant(List.of(1, 2, 3, 4));
    write(grant, new BlockMove(0, 1), new BlockMove(1, 2), new BlockMove(3, 4));
    receiver.revoke(grant.id());
    assertEquals(new GrantOutcome(grant.id(), GrantOutcome.Ending.REVOKED, 3, 2), await(granted));
  }

  @Test
  void shouldRefuseWritesWhenTheGrantHasEnded() throws Exception {
    final Grant grant = grant(List.of(1, 2));
    receiver.revoke(grant.id());
    await(granted);
    assertRejected(grant, new BlockMove(0, 1), TransferStatus.UNKNOWN_GRANT);
  }

  @Test
  void shouldRefuseAWrongKey() throws Exception {
    final Grant grant = grant(List.of(1, 2));
    final Grant forged =
        new Grant(
            grant.agent(),
            grant.id(),
            grant.keyHigh(),
            grant.keyLow() ^ 1,
            grant.blocks(),
            grant.geometry(),
            grant.life());
    assertRejected(forged, new BlockMove(0, 1), TransferStatus.WRONG_KEY);
    assertEquals(TransferStatus.OK, write(grant, new BlockMove(0, 1)).status());
  }

  @Test
  void shouldRefuseABlockThatIsNotGranted() throws Exception {
    final Grant grant = grant(List.of(1, 2));
    assertRejected(grant, new BlockMove(0, 3), TransferStatus.OUT_OF_RANGE);
    assertRejected(grant, new BlockMove(0, -1), TransferStatus.OUT_OF_RANGE);
    assertRejected(grant, new BlockMove(0, BLOCKS), TransferStatus.OUT_OF_RANGE);
  }

  @Test
  void shouldRefuseOtherBlockLengths() throws Exception {
    final Grant grant = grant(List.of(1, 2));
    final int halves = writer.register(sourceMemory, BLOCK_BYTES / 2);
    final var outcome = new CompletableFuture<WriteOutcome>();
    writer.write(grant, halves, List.of(new BlockMove(0, 1)), outcome::complete);
    assertEquals(TransferStatus.WRONG_GEOMETRY, await(outcome).status());
    final Grant lying =
        new Grant(
            grant.agent(),
            grant.id(),
            grant.keyHigh(),
            grant.keyLow(),
            grant.blocks(),
            new BlockGeometry(BLOCK_BYTES / 2, BlockGeometry.PLAIN),
            grant.life());
    final var second = new CompletableFuture<WriteOutcome>();
    writer.write(lying, halves, List.of(new BlockMove(0, 1)), second::complete);
    assertEquals(TransferStatus.WRONG_LENGTH, await(second).status());
    assertUnchanged();
  }

  @Test
  void shouldSayUnreachableWhenNobodyHasTheName() throws Exception {
    final AgentAddress known = receiver.address();
    final AgentAddress nobody = new AgentAddress("nobody", known.host(), known.endpoints());
    final BlockGeometry geometry = new BlockGeometry(BLOCK_BYTES, BlockGeometry.PLAIN);
    final Grant grant = new Grant(nobody, 1, 2, 3, List.of(1), geometry, LIFE);
    assertEquals(TransferStatus.UNREACHABLE, write(grant, new BlockMove(0, 1)).status());
  }

  @Test
  void shouldEndOtherBlocksWhenAListenerThrows() throws Exception {
    final Grant grant = grant(List.of(1, 2, 3, 4));
    final var calls = new AtomicInteger();
    for (int block = 1; block <= 3; block++) {
      writer.write(
          grant,
          source,
          List.of(new BlockMove(block, block)),
          outcome -> {
            calls.incrementAndGet();
            throw new IllegalStateException("a listener's bug");
          });
    }
    assertEquals(TransferStatus.OK, write(grant, new BlockMove(4, 4)).status());
    assertEquals(GrantOutcome.Ending.COMPLETE, await(granted).ending());
    awaitTrue(() -> calls.get() == 3 && writer.stats().inFlightBlocks() == 0);
  }

  @Test
  void shouldAcceptARepeatWithoutTouchingTheBlock() throws Exception {
    final Grant grant = grant(List.of(1, 2));
    write(grant, new BlockMove(0, 1));
    assertEquals(TransferStatus.OK, write(grant, new BlockMove(9, 1)).status());
    assertMoved(new BlockMove(0, 1));
  }

  @Test
  void shouldLeaveMemoryAloneWhenItIsNoLongerRegistered() throws Exception {
    final Grant grant = grant(List.of(1, 2));
    receiver.deregister(target);
    assertEquals(GrantOutcome.Ending.CLOSED, await(granted).ending());
    assertRejected(grant, new BlockMove(0, 1), TransferStatus.UNKNOWN_GRANT);
    assertThrows(
        IllegalArgumentException.class,
        () -> receiver.grant(target, List.of(1), LIFE, outcome -> {}));
  }

  @Test
  void shouldRefuseASecondAgentOfTheSameName() {
    assertThrows(
        IllegalStateException.class,
        () -> new TransferAgent("writer", agentSettings(), backend, System::nanoTime, random));
  }

  @Test
  void shouldMoveManyBlocksOfManyGrantsAtOnce() throws Exception {
    final List<CompletableFuture<GrantOutcome>> outcomes = new ArrayList<>();
    final List<CompletableFuture<WriteOutcome>> writes = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      final var outcome = new CompletableFuture<GrantOutcome>();
      outcomes.add(outcome);
      final List<Integer> blocks = List.of(5 * i, 5 * i + 1, 5 * i + 2, 5 * i + 3);
      final Grant grant = receiver.grant(target, blocks, LIFE, outcome::complete).orElseThrow();
      final var written = new CompletableFuture<WriteOutcome>();
      writes.add(written);
      final List<BlockMove> moves =
          blocks.stream().map(block -> new BlockMove(block, block)).toList();
      writer.write(grant, source, moves, written::complete);
    }
    for (var written : writes) assertEquals(TransferStatus.OK, await(written).status());
    for (var outcome : outcomes) assertEquals(4, await(outcome).contiguousBlocks());
    assertMoved(new BlockMove(0, 0), new BlockMove(36, 36), new BlockMove(38, 38));
  }

  @Test
  void shouldReadExportedBlocksAndTellOnceWhenAllHaveArrived() throws Exception {
    final Export export = export(List.of(4, 5, 6, 7));
    final ReadOutcome first = read(export, new BlockMove(6, 1), new BlockMove(4, 2));
    assertEquals(TransferStatus.OK, first.status());
    assertEquals(2, first.readBlocks());
    assertEquals(List.of(), first.missing());
    assertMoved(new BlockMove(6, 1), new BlockMove(4, 2));
    assertEquals(TransferStatus.OK, read(export, new BlockMove(6, 9)).status());
    assertMoved(new BlockMove(6, 9));
    writer.unexport(export.id());
    final var ended = new ExportOutcome(export.id(), GrantOutcome.Ending.REVOKED, 3);
    assertEquals(ended, await(exported));
    assertEquals(0, writer.stats().openExports());
    assertEquals(0, receiver.stats().openGrants());
  }

  @Test
  void shouldRefuseReadsWhenTheExportHasEnded() throws Exception {
    final Export export = export(List.of(4));
    writer.unexport(export.id());
    final ReadOutcome outcome = read(export, new BlockMove(4, 1));
    assertEquals(TransferStatus.UNKNOWN_GRANT, outcome.status());
    assertEquals(List.of(new BlockMove(4, 1)), outcome.missing());
    assertUnchanged();
  }

  @Test
  void shouldRefuseAReadOfWhatIsNotExported() throws Exception {
    final Export export = export(List.of(4));
    final BlockMove move = new BlockMove(5, 1);
    assertEquals(TransferStatus.OUT_OF_RANGE, read(export, move).status());
    final Export forged =
        new Export(
            export.agent(),
            export.id(),
            export.keyHigh(),
            export.keyLow(),
            List.of(4, 5),
            export.geometry(),
            LIFE);
    assertEquals(TransferStatus.OUT_OF_RANGE, read(forged, move).status());
    assertUnchanged();
  }

  @Test
  void shouldNotAnswerAReadWithoutTheKeyAndEndItWhenCancelled() throws Exception {
    final Export export = export(List.of(4));
    final Export forged =
        new Export(
            export.agent(),
            export.id(),
            export.keyHigh() ^ 1,
            export.keyLow(),
            export.blocks(),
            export.geometry(),
            LIFE);
    final var outcome = new CompletableFuture<ReadOutcome>();
    final long id = receiver.read(forged, target, List.of(new BlockMove(4, 1)), outcome::complete);
    awaitTrue(() -> writer.stats().rejected().containsKey(TransferStatus.WRONG_KEY));
    assertFalse(outcome.isDone());
    receiver.cancel(id);
    assertEquals(TransferStatus.CANCELLED, await(outcome).status());
    assertUnchanged();
  }

  @Test
  void shouldRefuseBlocksOfAnotherLayoutBeforeAnyByteMoves() throws Exception {
    final BlockGeometry otherLayout = new BlockGeometry(BLOCK_BYTES, "other");
    final int other = writer.register(BlockMemory.of(sourceMemory, otherLayout));
    final var written = new CompletableFuture<WriteOutcome>();
    writer.write(grant(List.of(1)), other, List.of(new BlockMove(0, 1)), written::complete);
    assertEquals(TransferStatus.WRONG_GEOMETRY, await(written).status());
    final Export export = writer.export(other, List.of(4), LIFE, exported::complete).orElseThrow();
    assertEquals(TransferStatus.WRONG_GEOMETRY, read(export, new BlockMove(4, 1)).status());
    assertUnchanged();
  }

  private Export export(List<Integer> blocks) {
    return writer.export(source, blocks, LIFE, exported::complete).orElseThrow();
  }

  private ReadOutcome read(Export export, BlockMove... moves) throws Exception {
    final var outcome = new CompletableFuture<ReadOutcome>();
    receiver.read(export, target, List.of(moves), outcome::complete);
    return await(outcome);
  }

  private static void awaitTrue(BooleanSupplier condition) {
    final long startNs = System.nanoTime();
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() - startNs < TimeUnit.SECONDS.toNanos(10), "waited 10 s");
      LockSupport.parkNanos(1_000_000);
    }
  }

  Grant grant(List<Integer> blocks) {
    return receiver.grant(target, blocks, LIFE, granted::complete).orElseThrow();
  }

  WriteOutcome write(Grant grant, BlockMove... moves) throws Exception {
    final var outcome = new CompletableFuture<WriteOutcome>();
    writer.write(grant, source, List.of(moves), outcome::complete);
    return await(outcome);
  }

  private void assertRejected(Grant grant, BlockMove move, TransferStatus status) throws Exception {
    final long before = receiver.stats().rejected().getOrDefault(status, 0L);
    assertEquals(status, write(grant, move).status());
    assertEquals(before + 1, receiver.stats().rejected().get(status));
    assertUnchanged();
  }

  void assertUnchanged() {
    assertEquals(-1, targetMemory.mismatch(targetBefore));
  }

  /** These blocks have moved, and no other byte has changed that is not in a granted block. */
  void assertMoved(BlockMove... moves) {
    for (BlockMove move : moves) {
      assertEquals(
          -1,
          block(targetMemory, move.targetBlock())
              .mismatch(block(sourceMemory, move.sourceBlock())));
    }
    assertTrue(block(targetMemory, BLOCKS - 1).mismatch(block(targetBefore, BLOCKS - 1)) == -1);
  }

  private static MemorySegment block(MemorySegment memory, int index) {
    return memory.asSlice((long) index * BLOCK_BYTES, BLOCK_BYTES);
  }

  private static <T> T await(CompletableFuture<T> future) throws Exception {
    return future.get(10, TimeUnit.SECONDS);
  }
}
