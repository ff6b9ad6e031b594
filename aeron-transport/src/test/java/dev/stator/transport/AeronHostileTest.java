package dev.stator.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.transport.aeron.AeronTransport;
import dev.stator.transport.wire.BlockTarget;
import dev.stator.transport.wire.FragmentFlyweight;
import dev.stator.transport.wire.HelloFlyweight;
import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.agrona.CloseHelper;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Somebody who speaks Aeron, but not our language, or only half of it, at a live subscription. */
class AeronHostileTest {
  private static final int FRAMES = 3000;
  private static final int STREAM = 1;
  private static final int REPLY_STREAM = 1 << 17;

  @ParameterizedTest
  @ValueSource(strings = {"ipc", "udp"})
  void shouldChangeNothingAndCountItAndServeOthers(String kind) throws Exception {
    final AeronTransport transport = AeronTransports.create();
    final boolean isIpc = kind.equals("ipc");
    final TransferBackend unused = isIpc ? transport.udp() : transport.ipc();
    unused.close();
    final TransferBackend backend = isIpc ? transport.ipc() : transport.udp();
    try (TransferSide receiver = new TransferSide("receiver", backend, 2);
        TransferSide writer = new TransferSide("writer", AeronTransports.of(kind, ""), 1)) {
      final MemorySegment before = receiver.arena.allocate(receiver.memory.byteSize());
      before.copyFrom(receiver.memory);
      final Grant grant = receiver.grant(3, 2);
      attack(kind, receiver.agent.address().endpoints().get(kind), grant);
      awaitFaults(transport);
      final long granted = 3L * TransferSide.BLOCK_BYTES;
      final long behind = granted + 2L * TransferSide.BLOCK_BYTES;
      final long all = before.byteSize();
      assertEquals(-1, MemorySegment.mismatch(before, 0, granted, receiver.memory, 0, granted));
      assertEquals(-1, MemorySegment.mismatch(before, behind, all, receiver.memory, behind, all));
      assertEquals(0, receiver.agent.stats().receivedBytes());
      assertTrue(receiver.agent.stats().rejectedBlocks() > 0);
      assertEquals(TransferStatus.OK, writer.writeAndWait(grant, 3, 2));
      assertTrue(writer.equals(receiver, 3, 2));
    }
  }

  private static void awaitFaults(AeronTransport transport) {
    final long startNs = System.nanoTime();
    while (transport.stats().faultCount() < FRAMES / 4) {
      assertTrue(
          System.nanoTime() - startNs < TimeUnit.SECONDS.toNanos(10),
          "faults: " + transport.stats().faults());
      Thread.onSpinWait();
    }
  }

  private static void attack(String kind, String endpoint, Grant grant) throws Exception {
    MediaDriver driver = null;
    final String directory;
    if (kind.equals("ipc")) {
      directory = endpoint;
    } else {
      driver =
          MediaDriver.launchEmbedded(
              new MediaDriver.Context()
                  .threadingMode(ThreadingMode.SHARED)
                  .dirDeleteOnShutdown(true));
      directory = driver.aeronDirectoryName();
    }
    final String channel =
        kind.equals("ipc")
            ? "aeron:ipc?term-length=64k|mtu=1408"
            : "aeron:udp?endpoint=" + endpoint;
    try (Aeron aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(directory));
        ExclusivePublication publication = aeron.addExclusivePublication(channel, STREAM)) {
      final Random random = new Random(17);
      final UnsafeBuffer frame = new UnsafeBuffer(ByteBuffer.allocateDirect(2048));
      send(publication, frame, hello(frame));
      for (int i = 0; i < FRAMES; i++) send(publication, frame, frame(frame, random, grant));
    } finally {
      CloseHelper.close(driver);
    }
  }

  private static int hello(UnsafeBuffer frame) {
    final byte[] name = "receiver".getBytes();
    HelloFlyweight.encode(frame, 0, 1, REPLY_STREAM, 9, name);
    return HelloFlyweight.length(name);
  }

  /** Random bytes, or a fragment with a valid key and something wrong. */
  private static int frame(UnsafeBuffer frame, Random random, Grant grant) {
    final byte[] bytes = new byte[1000];
    random.nextBytes(bytes);
    frame.putBytes(0, bytes);
    if (random.nextInt(3) == 0) return random.nextInt(1000);
    final BlockTarget target =
        new BlockTarget(
            grant.id(),
            grant.keyHigh(),
            random.nextInt(4) == 0 ? random.nextLong() : grant.keyLow(),
            random.nextInt(TransferSide.BLOCKS));
    final int length = random.nextBoolean() ? TransferSide.BLOCK_BYTES : random.nextInt(1, 1 << 20);
    final int at = random.nextBoolean() ? 0 : random.nextInt();
    FragmentFlyweight.encode(frame, 0, random.nextInt(3), target, length, at, 500);
    final int flip = random.nextInt(FragmentFlyweight.HEADER_LENGTH);
    if (random.nextBoolean()) frame.putByte(flip, (byte) (frame.getByte(flip) ^ 1));
    return FragmentFlyweight.HEADER_LENGTH + 500;
  }

  private static void send(ExclusivePublication publication, UnsafeBuffer frame, int length) {
    final long startNs = System.nanoTime();
    while (publication.offer(frame, 0, length) < 0) {
      assertTrue(System.nanoTime() - startNs < TimeUnit.SECONDS.toNanos(10), "not taken");
      Thread.yield();
    }
  }
}
