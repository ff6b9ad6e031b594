package dev.stator.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class AeronUdpFailureTest extends AeronFailureContract {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  @Override
  String kind() {
    return "udp";
  }

  @Test
  void shouldReachAReceiverThatWasKilledAndStartedAgainAtTheSamePort() throws Exception {
    try (TransferSide writer = new TransferSide("writer", AeronTransports.udp(), 1)) {
      final String port;
      try (ReceiverProcess receiver = ReceiverProcess.start("udp", "")) {
        final Grant grant = receiver.grant("udp");
        port = grant.agent().endpoints().get("udp").split(":")[1];
        assertEquals(TransferStatus.OK, writer.writeAndWait(grant, 0, 4));
        receiver.kill();
      }
      try (ReceiverProcess again = ReceiverProcess.start("udp", "udp.port = " + port)) {
        final Grant grant = again.grant("udp");
        final long deadlineNs = System.nanoTime() + PATIENCE.toNanos();
        TransferStatus status = writer.writeAndWait(grant, 0, TransferSide.BLOCKS);
        // At once again and again, while the writer still lets go of the link to the one before.
        while (status == TransferStatus.UNREACHABLE && System.nanoTime() < deadlineNs) {
          status = writer.writeAndWait(grant, 0, TransferSide.BLOCKS);
        }
        assertEquals(TransferStatus.OK, status);
      }
    }
  }

  @Test
  void shouldMoveEveryBlockWhenTheNetworkLosesRepeatsAndReorders() throws Exception {
    moveThroughLosses(direct(), direct());
  }

  @Test
  void shouldCopyABlockOutOfReachOnceHoweverManyPiecesAreLost() throws Exception {
    final DistantBlocks[] both = new DistantBlocks[2];
    final int attempts = moveThroughLosses(distant(both, 0), distant(both, 1));
    assertEquals(TransferSide.BLOCKS, both[1].commits.get());
    assertTrue(both[0].reads.get() <= attempts * TransferSide.BLOCKS, "reads: " + both[0].reads);
    assertEquals(0, both[0].held() + both[1].held());
    assertTrue(both[0].heldMax() + both[1].heldMax() <= 2 + attempts, "more than a link needs");
  }

  private static Function<MemorySegment, BlockMemory> direct() {
    return memory -> BlockMemory.of(memory, TransferSide.BLOCK_BYTES);
  }

  private static Function<MemorySegment, BlockMemory> distant(DistantBlocks[] both, int which) {
    return memory -> both[which] = new DistantBlocks(memory, TransferSide.BLOCK_BYTES, 16);
  }

  /** How often the blocks had to be posted. */
  private static int moveThroughLosses(
      Function<MemorySegment, BlockMemory> sources, Function<MemorySegment, BlockMemory> targets)
      throws Exception {
    final String small = "udp.mtu = 8192, udp.window = 256 KiB, udp.socket-buffer = 256 KiB";
    try (TransferSide writer =
            new TransferSide("writer", AeronTransports.of("udp", small), 1, sources);
        TransferSide receiver =
            new TransferSide("receiver", AeronTransports.of("udp", small), 2, targets);
        LossyRelay relay = LossyRelay.to(receiver.agent.address().endpoints().get("udp"), 13)) {
      final CompletableFuture<GrantOutcome> ended = new CompletableFuture<>();
      final Grant direct = receiver.grant(0, TransferSide.BLOCKS, ended);
      final AgentAddress throughRelay =
          new AgentAddress("receiver", direct.agent().host(), Map.of("udp", relay.endpoint()));
      final Grant grant =
          new Grant(
              throughRelay,
              direct.id(),
              direct.keyHigh(),
              direct.keyLow(),
              direct.blocks(),
              direct.geometry(),
              direct.life());
      TransferStatus status = writer.writeAndWait(grant, 0, TransferSide.BLOCKS);
      int attempts = 1;
      for (; status == TransferStatus.UNREACHABLE && attempts < 11; attempts++) {
        status = writer.writeAndWait(grant, 0, TransferSide.BLOCKS);
      }
      assertEquals(TransferStatus.OK, status);
      assertEquals(GrantOutcome.Ending.COMPLETE, TransferSide.await(ended).ending());
      assertTrue(writer.equals(receiver, 0, TransferSide.BLOCKS));
      assertTrue(relay.faultCount() > 20, "faults: " + relay.faultCount());
      return attempts;
    }
  }
}
