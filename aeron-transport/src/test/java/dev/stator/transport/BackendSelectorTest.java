package dev.stator.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Which backend a pair gets, and what happens when it does not get there. */
class BackendSelectorTest {
  private static final Duration RETRY = Duration.ofSeconds(1);
  private static final Duration RETRY_MAX = Duration.ofSeconds(4);
  private static final int BLOCK_BYTES = 64;

  /** Claims to reach everybody, and finds nobody when it is asked to move a block. */
  private static final class Broken implements TransferBackend {
    private final Queue<BlockWrite> taken = new ArrayDeque<>();
    private boolean reaches = true;
    private boolean closed;
    private String attached = "";

    void fail() {
      while (!taken.isEmpty()) {
        final BlockWrite write = taken.remove();
        assertEquals(BLOCK_BYTES, write.acquire().byteSize());
        write.complete(TransferStatus.UNREACHABLE);
        write.release();
      }
    }

    @Override
    public String name() {
      return "broken";
    }

    @Override
    public Map<String, String> attach(String agent, BlockSink sink) {
      attached = agent;
      return Map.of();
    }

    @Override
    public void detach(String agent) {
      if (attached.equals(agent)) attached = "";
    }

    @Override
    public boolean reaches(AgentAddress to) {
      return reaches;
    }

    @Override
    public boolean offer(BlockWrite write) {
      return taken.add(write);
    }

    @Override
    public boolean send(AgentAddress to, MemorySegment message) {
      return false;
    }

    @Override
    public void close() {
      closed = true;
    }
  }

  private final Arena arena = Arena.ofShared();
  private final AtomicLong nowNs = new AtomicLong();
  private final Broken broken = new Broken();
  private final InProcessBackend inProcess = new InProcessBackend(Runnable::run);
  private final BackendSelector selector =
      new BackendSelector(List.of(broken, inProcess), RETRY, RETRY_MAX, nowNs::get);
  private final TransferAgent agent =
      new TransferAgent(
          "agent", TransferBackendContract.SETTINGS, selector, nowNs::get, new Random(1));
  private final MemorySegment memory = arena.allocate(8 * BLOCK_BYTES);
  private final int memoryId = agent.register(memory, BLOCK_BYTES);
  private final List<WriteOutcome> outcomes = new ArrayList<>();

  @AfterEach
  void stop() {
    agent.close();
    selector.close();
    assertTrue(broken.closed);
    arena.close();
  }

  @Test
  void shouldTakeTheFirstInOrderThatReaches() {
    assertEquals("broken", selector.route(agent.address()));
    assertTrue(selector.reaches(agent.address()));
  }

  @Test
  void shouldPassOverWhatDoesNotReachAndTakeAWantedOneOnceItDoes() {
    broken.reaches = false;
    assertEquals("in-process", selector.route(agent.address()));
    broken.reaches = true;
    assertEquals("broken", selector.route(agent.address()));
  }

  @Test
  void shouldGoAnotherWayWhenTheChosenOneDoesNotGetThere() {
    memory.set(ValueLayout.JAVA_BYTE, 0, (byte) 7);
    write(1);
    assertEquals(List.of(), outcomes);
    broken.fail();
    assertEquals(TransferStatus.OK, outcomes.getFirst().status());
    assertEquals(7, memory.get(ValueLayout.JAVA_BYTE, BLOCK_BYTES));
    assertEquals("in-process", selector.route(agent.address()));
    assertEquals(Map.of("agent", "in-process"), selector.routes());
    write(2);
    assertEquals(2, outcomes.size());
    nowNs.addAndGet(RETRY.toNanos());
    assertEquals("broken", selector.route(agent.address()));
  }

  @Test
  void shouldPassOverTwiceAsLongEachTimeInARow() {
    for (int seconds : new int[] {1, 2, 4, 4}) assertEquals(seconds, secondsPassedOver());
  }

  @Test
  void shouldForgetFailuresThatAreLongAgo() {
    assertEquals(1, secondsPassedOver());
    nowNs.addAndGet(2 * RETRY_MAX.toNanos());
    assertEquals(1, secondsPassedOver());
  }

  @Test
  void shouldCountBlocksThatFailTogetherOnce() {
    write(1);
    write(2);
    assertEquals(1, secondsPassedOver());
    assertEquals(2, secondsPassedOver());
  }

  @Test
  void shouldRefuseRetriesThatContradict() {
    assertThrows(
        IllegalArgumentException.class,
        () -> new BackendSelector(List.of(broken), RETRY_MAX, RETRY, nowNs::get));
  }

  /** Lets a block fail; how long until the backend is tried again. */
  private int secondsPassedOver() {
    write(1);
    broken.fail();
    int seconds = 0;
    while (selector.route(agent.address()).equals("in-process")) {
      nowNs.addAndGet(Duration.ofSeconds(1).toNanos());
      seconds++;
    }
    return seconds;
  }

  @Test
  void shouldSayUnreachableWhenNoWayIsLeft() {
    final AgentAddress nobody = new AgentAddress("nobody", HostId.current(), Map.of());
    broken.reaches = false;
    assertFalse(selector.reaches(nobody));
    assertEquals(BackendSelector.NO_ROUTE, selector.route(nobody));
    final BlockGeometry geometry = new BlockGeometry(BLOCK_BYTES, BlockGeometry.PLAIN);
    final Grant grant = new Grant(nobody, 1, 2, 3, List.of(1), geometry, RETRY);
    agent.write(grant, memoryId, List.of(new BlockMove(0, 1)), outcomes::add);
    assertEquals(TransferStatus.UNREACHABLE, outcomes.getFirst().status());
    assertEquals(0, agent.stats().inFlightBlocks());
  }

  @Test
  void shouldAttachNowhereWhenTheNameIsTakenSomewhere() {
    assertThrows(
        IllegalStateException.class,
        () ->
            new TransferAgent(
                "agent", TransferBackendContract.SETTINGS, selector, nowNs::get, new Random(1)));
    assertEquals("", broken.attached);
  }

  private void write(int block) {
    final Grant grant = agent.grant(memoryId, List.of(block), RETRY, outcome -> {}).orElseThrow();
    agent.write(grant, memoryId, List.of(new BlockMove(0, block)), outcomes::add);
  }

  /** As one between devices, which tells of what it does not reach. */
  private static final class ForDevices implements TransferBackend {
    private TransferStatus outcome = TransferStatus.OK;
    private boolean reaches = true;
    private int offered;

    @Override
    public String name() {
      return "for-devices";
    }

    @Override
    public Map<String, String> attach(String agent, BlockSink sink) {
      return Map.of();
    }

    @Override
    public void detach(String agent) {}

    @Override
    public boolean reaches(AgentAddress to) {
      return false;
    }

    @Override
    public boolean reaches(AgentAddress to, LentPool from) {
      return reaches;
    }

    @Override
    public boolean offer(BlockWrite write) {
      offered++;
      reaches = outcome == TransferStatus.OK;
      write.complete(outcome);
      return true;
    }

    @Override
    public boolean send(AgentAddress to, MemorySegment message) {
      throw new AssertionError("a message goes by devices");
    }

    @Override
    public void close() {}
  }

  @Nested
  class OfDevices {
    private final ForDevices devices = new ForDevices();
    private final BackendSelector both =
        new BackendSelector(
            List.of(devices, new InProcessBackend(Runnable::run)), RETRY, RETRY_MAX, nowNs::get);
    private final TransferAgent owner =
        new TransferAgent(
            "owner", TransferBackendContract.SETTINGS, both, nowNs::get, new Random(1));
    private final int plainId = owner.register(memory, BLOCK_BYTES);
    private final int lentId;

    private OfDevices() {
      final DistantBlocks lent = new DistantBlocks(memory, BLOCK_BYTES, 2);
      lent.device = new FakeDevice(memory, BLOCK_BYTES);
      lentId = owner.register(lent);
    }

    @AfterEach
    void close() {
      owner.close();
      both.close();
    }

    private TransferStatus write(int memoryId, int block) {
      final Grant grant = owner.grant(plainId, List.of(block), RETRY, outcome -> {}).orElseThrow();
      outcomes.clear();
      owner.write(grant, memoryId, List.of(new BlockMove(0, block)), outcomes::add);
      return outcomes.getFirst().status();
    }

    @Test
    void shouldSendBlocksOfDevicesAWayOfTheirOwnAndNothingElse() {
      assertEquals(TransferStatus.OK, write(lentId, 1));
      assertEquals(TransferStatus.OK, write(plainId, 2));
      assertEquals(1, devices.offered);
      assertEquals("in-process", both.route(owner.address()));
      assertEquals(Map.of("owner", "for-devices"), both.routes());
      assertTrue(both.send(owner.address(), arena.allocate(1)));
    }

    @Test
    void shouldGoTheNextWayForGoodWhereOneDeviceDoesNotGetAtTheOther() {
      devices.outcome = TransferStatus.UNREACHABLE;
      assertEquals(TransferStatus.OK, write(lentId, 1));
      nowNs.addAndGet(3 * RETRY_MAX.toNanos());
      assertEquals(TransferStatus.OK, write(lentId, 2));
      assertEquals(1, devices.offered);
      assertEquals(Map.of("owner", "in-process"), both.routes());
    }
  }

  @Nested
  class KeepsTheContract extends TransferBackendContract {
    @Override
    TransferBackend backend() {
      return new BackendSelector(
          List.of(InProcessBackend.create(SETTINGS)), RETRY, RETRY_MAX, System::nanoTime);
    }
  }
}
