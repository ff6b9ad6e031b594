package dev.stator.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stator.transport.shared.SharedBackend;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A receiver whose agent breaks, beside one that does not, both served by one thread. */
class SharedSinkFailureTest {
  @TempDir Path folder;

  @Test
  void shouldGoOnForOthersWhenASinkBreaks() throws Exception {
    final SharedBackend receivers = SharedBackends.start(folder, "threads = 1");
    try (TransferSide receiver = new TransferSide("receiver", receivers, 1);
        TransferSide writer =
            new TransferSide("writer", SharedBackends.start(folder, "threads = 1"), 2)) {
      final var broken =
          new AgentAddress(
              "broken", HostId.current(), receivers.attach("broken", new BrokenSink()));
      final Grant grant = receiver.grant(0, 2);
      final Grant toBroken =
          new Grant(
              broken,
              grant.id(),
              grant.keyHigh(),
              grant.keyLow(),
              grant.blocks(),
              grant.geometry(),
              grant.life());
      assertEquals(TransferStatus.UNREACHABLE, writer.writeAndWait(toBroken, 0, 1));
      assertEquals(TransferStatus.OK, writer.writeAndWait(grant, 0, 2));
    }
  }

  private static final class BrokenSink implements BlockSink {
    @Override
    public BlockLanding begin(
        long grantId, long keyHigh, long keyLow, int targetBlock, long blockBytes) {
      throw new StackOverflowError("a bug");
    }

    @Override
    public List<TransferStatus> deliverAll(List<BlockDelivery> deliveries) {
      throw new StackOverflowError("a bug");
    }

    @Override
    public void receive(MemorySegment message) {
      throw new StackOverflowError("a bug");
    }
  }
}
