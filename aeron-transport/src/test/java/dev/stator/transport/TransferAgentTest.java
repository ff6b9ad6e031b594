package dev.stator.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Bounds, times, cancels and faults; copies run when the test says so. */
class TransferAgentTest {
  private static final TransferSettings SETTINGS =
      new TransferSettings(3, 2, 4, 5, Duration.ofSeconds(2), Duration.ofMillis(10), 1);
  private static final Duration LIFE = Duration.ofSeconds(10);
  private static final int BLOCK_BYTES = 64;

  private final Arena arena = Arena.ofShared();
  private final AtomicLong nowNs = new AtomicLong(-5); // Clocks may start anywhere.
  private final Queue<Runnable> copies = new ArrayDeque<>();
  private final InProcessBackend backend = new InProcessBackend(copies::add);
  private final TransferAgent agent = agent("agent", backend);
  private final MemorySegment memory = arena.allocate(64 * BLOCK_BYTES);
  private final int memoryId = agent.register(memory, BLOCK_BYTES);
  private final List<GrantOutcome> grantOutcomes = new ArrayList<>();
  private final List<WriteOutcome> writeOutcomes = new ArrayList<>();

  @AfterEach
  void stop() {
    agent.close();
    arena.close();
  }

  @Test
  void shouldRefuseMoreGrantsThanAllowed() {
    for (int i = 0; i < 3; i++) grant(List.of(i));
    assertTrue(agent.grant(memoryId, List.of(9), LIFE, grantOutcomes::add).isEmpty());
    agent.revoke(0);
    assertTrue(agent.grant(memoryId, List.of(9), LIFE, grantOutcomes::add).isPresent());
  }

  @Test
  void shouldRefuseMoreBlocksThanAllowed() {
    assertTrue(agent.grant(memoryId, List.of(1, 2, 3, 4, 5), LIFE, grantOutcomes::add).isEmpty());
    assertEquals(0, agent.stats().openGrants());
  }

  @Test
  void shouldThrowWhenAGrantMakesNoSense() {
    assertThrows(IllegalArgumentException.class, () -> grant(List.of(1, 1)));
    assertThrows(IllegalArgumentException.class, () -> grant(List.of(64)));
    assertThrows(IllegalArgumentException.class, () -> grant(List.of(-1)));
    assertThrows(IllegalArgumentException.class, () -> agent.register(memory, BLOCK_BYTES + 1));
  }

  @Test
  void shouldGiveEveryGrantAKeyOfItsOwn() {
    final Grant first = grant(List.of(1));
    final Grant second = grant(List.of(1));
    assertNotEquals(first.keyHigh(), second.keyHigh());
    assertNotEquals(first.keyLow(), second.keyLow());
    assertFalse(first.toString().contains(Long.toString(first.keyLow())));
  }

  @Test
  void shouldPushBackWhenTooMuchIsOnItsWay() {
    final Grant grant = grant(List.of(1, 2, 3, 4));
    write(grant, new BlockMove(10, 1), new BlockMove(11, 2), new BlockMove(12, 3));
    write(grant, new BlockMove(10, 1), new BlockMove(11, 2), new BlockMove(12, 3));
    assertEquals(List.of(TransferStatus.BACK_PRESSURED), statuses());
    runCopies();
    assertEquals(List.of(TransferStatus.BACK_PRESSURED, TransferStatus.OK), statuses());
    write(grant, new BlockMove(13, 4));
    runCopies();
    assertEquals(GrantOutcome.Ending.COMPLETE, grantOutcomes.getFirst().ending());
  }

  @Test
  void shouldPushBackWhenTheBackendIsFull() {
    final InProcessBackend full =
        new InProcessBackend(copy -> {
          throw new RejectedExecutionException();
        });
    final TransferAgent pressed = agent("pressed", full);
    final int id = pressed.register(memory, BLOCK_BYTES);
    pressed.write(grant(List.of(1)), id, List.of(new BlockMove(2, 1)), writeOutcomes::add);
    assertEquals(List.of(TransferStatus.BACK_PRESSURED), statuses());
    assertEquals(0, pressed.stats().inFlightBlocks());
  }

  @Test
  void shouldExpireWhenItsLifeIsOver() {
    final Grant grant = grant(List.of(1, 2));
    write(grant, new BlockMove(10, 1));
    runCopies();
    pass(LIFE.minusNanos(1));
    assertEquals(0, agent.poll());
    pass(Duration.ofNanos(1));
    assertEquals(1, agent.poll());
    assertEquals(
        List.of(new GrantOutcome(grant.id(), GrantOutcome.Ending.EXPIRED, 1, 1)), grantOutcomes);
  }

  @Test
  void shouldRefuseABlockThatComesTooLateEvenWhenNobodyPolled() {
    final Grant grant = grant(List.of(1, 2));
    pass(LIFE);
    write(grant, new BlockMove(10, 1));
    runCopies();
    assertEquals(List.of(TransferStatus.UNKNOWN_GRANT), statuses());
    assertEquals(GrantOutcome.Ending.EXPIRED, grantOutcomes.getFirst().ending());
    assertEquals(1, agent.stats().rejectedBlocks());
  }

  @Test
  void shouldTimeOutAWriteWhoseBlocksAreStuck() {
    final Grant grant = grant(List.of(1, 2));
    fill(10, (byte) 7);
    write(grant, new BlockMove(10, 1), new BlockMove(11, 2));
    copies.remove().run();
    pass(SETTINGS.writeTimeout());
    agent.poll();
    final var missing = List.of(new BlockMove(11, 2));
    assertEquals(List.of(new WriteOutcome(1, TransferStatus.TIMED_OUT, 1, missing)), writeOutcomes);
    fill(11, (byte) 9); // The source is the writer's again: what is left must not be read.
    runCopies();
    assertEquals(7, block(1).get(ValueLayout.JAVA_BYTE, 0));
    assertEquals(0, block(2).get(ValueLayout.JAVA_BYTE, 0));
    assertEquals(1, writeOutcomes.size());
  }

  @Test
  void shouldWithdrawWhatHasNotArrivedWhenCancelled() {
    final Grant grant = grant(List.of(1, 2));
    fill(10, (byte) 7);
    final long writeId = write(grant, new BlockMove(10, 1));
    agent.cancel(writeId);
    assertEquals(List.of(TransferStatus.CANCELLED), statuses());
    runCopies();
    assertEquals(0, block(1).get(ValueLayout.JAVA_BYTE, 0));
    agent.cancel(writeId);
    assertEquals(1, writeOutcomes.size());
  }

  @Test
  void shouldWithdrawWritesWhenTheirMemoryIsNoLongerRegistered() {
    final TransferAgent other = agent("other", backend);
    final int id = other.register(memory, BLOCK_BYTES);
    other.write(grant(List.of(1)), id, List.of(new BlockMove(10, 1)), writeOutcomes::add);
    other.deregister(id);
    assertEquals(List.of(TransferStatus.CANCELLED), statuses());
    runCopies();
    assertEquals(0, other.stats().sentBytes());
    other.close();
  }

  @Test
  void shouldRefuseBlocksThatAreNotInTheSource() {
    write(grant(List.of(1)), new BlockMove(64, 1));
    assertEquals(List.of(TransferStatus.OUT_OF_RANGE), statuses());
    assertThrows(
        IllegalArgumentException.class,
        () -> agent.write(grant(List.of(2)), 77, List.of(new BlockMove(1, 2)), outcome -> {}));
  }

  @Test
  void shouldSurviveEveryFaultWithEveryBlockRightInTheEnd() {
    int faults = 0;
    for (int seed = 0; seed < 200; seed++) faults += sendThroughFaults(seed);
    assertTrue(faults > 200, "only " + faults + " faults");
  }

  /** Posts again and again until the grant is complete; returns how many faults it took. */
  private int sendThroughFaults(long seed) {
    final var faults = new FaultyBackend.Faults(0.1, 0.1, 0.1, 0.1, 0.1);
    final FaultyBackend faulty = new FaultyBackend(faults, new Random(seed));
    final TransferAgent receiver = agent("receiver", faulty);
    final TransferAgent writer = agent("writer", faulty);
    try (Arena own = Arena.ofShared()) {
      final MemorySegment source = own.allocate(4 * BLOCK_BYTES);
      final MemorySegment target = own.allocate(6 * BLOCK_BYTES);
      new Random(seed).ints(source.byteSize()).forEach(new Filler(source));
      final int sourceId = writer.register(source, BLOCK_BYTES);
      final List<GrantOutcome> outcomes = new ArrayList<>();
      final Grant grant =
          receiver
              .grant(
                  receiver.register(target, BLOCK_BYTES),
                  List.of(1, 2, 3, 4),
                  Duration.ofHours(1),
                  outcomes::add)
              .orElseThrow();
      final List<BlockMove> moves =
          List.of(
              new BlockMove(0, 1), new BlockMove(1, 2), new BlockMove(2, 3), new BlockMove(3, 4));
      for (int attempt = 0; attempt < 100 && outcomes.isEmpty(); attempt++) {
        writer.write(grant, sourceId, moves, outcome -> {});
        faulty.flush();
        pass(SETTINGS.writeTimeout());
        writer.poll();
      }
      assertEquals(GrantOutcome.Ending.COMPLETE, outcomes.getFirst().ending());
      assertEquals(1, outcomes.size());
      assertEquals(-1, target.asSlice(BLOCK_BYTES, 4 * BLOCK_BYTES).mismatch(source));
      assertEquals(-1, target.asSlice(0, BLOCK_BYTES).mismatch(arena.allocate(BLOCK_BYTES)));
      assertEquals(0, writer.stats().inFlightBlocks());
      writer.close();
      receiver.close();
    }
    return faulty.faultCount();
  }

  @Test
  void shouldReadItsSettingsFromTheReference() {
    final var settings = TransferSettings.from(ConfigFactory.load().getConfig("stator.transport"));
    assertEquals(Duration.ofSeconds(5), settings.writeTimeout());
    assertThrows(
        IllegalArgumentException.class, () -> new TransferSettings(0, 1, 1, 1, LIFE, LIFE, 1));
    assertThrows(
        IllegalArgumentException.class,
        () -> new TransferSettings(1, 1, 1, 1, Duration.ZERO, LIFE, 1));
  }

  private TransferAgent agent(String name, TransferBackend over) {
    return new TransferAgent(name, SETTINGS, over, nowNs::get, new Random(11));
  }

  private Grant grant(List<Integer> blocks) {
    return agent.grant(memoryId, blocks, LIFE, grantOutcomes::add).orElseThrow();
  }

  private long write(Grant grant, BlockMove... moves) {
    return agent.write(grant, memoryId, List.of(moves), writeOutcomes::add);
  }

  private List<TransferStatus> statuses() {
    return writeOutcomes.stream().map(WriteOutcome::status).toList();
  }

  private void runCopies() {
    while (!copies.isEmpty()) copies.remove().run();
  }

  private void pass(Duration time) {
    nowNs.addAndGet(time.toNanos());
  }

  private void fill(int blockIndex, byte value) {
    block(blockIndex).fill(value);
  }

  private MemorySegment block(int index) {
    return memory.asSlice((long) index * BLOCK_BYTES, BLOCK_BYTES);
  }

  /** Writes ints as bytes, one behind the other. */
  private static final class Filler implements IntConsumer {
    private final MemorySegment memory;
    private long at;

    Filler(MemorySegment memory) {
      this.memory = memory;
    }

    @Override
    public void accept(int value) {
      memory.set(ValueLayout.JAVA_BYTE, at++, (byte) value);
    }
  }
}
