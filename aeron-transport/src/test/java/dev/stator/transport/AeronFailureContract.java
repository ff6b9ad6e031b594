package dev.stator.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What a writer sees when the other side goes, hangs, comes back or is slow. */
abstract class AeronFailureContract {
  private static final int BLOCKS = TransferSide.BLOCKS;

  abstract String kind();

  private TransferSide side(String name, String overrides, long seed) {
    return new TransferSide(name, AeronTransports.of(kind(), overrides), seed);
  }

  @Test
  void shouldMoveBlocksThatAreLongerThanAFrame() throws Exception {
    try (TransferSide writer = side("writer", "", 1);
        TransferSide receiver = side("receiver", "", 2)) {
      final CompletableFuture<GrantOutcome> ended = new CompletableFuture<>();
      final Grant grant = receiver.grant(0, BLOCKS, ended);
      assertEquals(TransferStatus.OK, writer.writeAndWait(grant, 0, BLOCKS));
      assertEquals(GrantOutcome.Ending.COMPLETE, TransferSide.await(ended).ending());
      assertTrue(writer.equals(receiver, 0, BLOCKS));
    }
  }

  @Test
  void shouldSayUnreachableWhenTheReceiverHasGoneAndReachItsSuccessor() throws Exception {
    try (TransferSide writer = side("writer", "", 1)) {
      final Grant stale;
      try (TransferSide receiver = side("receiver", "", 2)) {
        assertEquals(TransferStatus.OK, writer.writeAndWait(receiver.grant(0, 2), 0, 2));
        stale = receiver.grant(0, 4);
      }
      assertEquals(TransferStatus.UNREACHABLE, writer.writeAndWait(stale, 0, 4));
      try (TransferSide successor = side("receiver", "", 3)) {
        assertEquals(TransferStatus.OK, writer.writeAndWait(successor.grant(0, 4), 0, 4));
        assertTrue(writer.equals(successor, 0, 4));
        assertEquals(
            TransferStatus.UNREACHABLE, writer.writeAndWait(stale, 0, 4), "still nobody there");
      }
    }
  }

  @Test
  void shouldCompleteAGrantWhenTheWriterWasStartedAgain() throws Exception {
    try (TransferSide receiver = side("receiver", "", 2)) {
      final CompletableFuture<GrantOutcome> ended = new CompletableFuture<>();
      final Grant grant = receiver.grant(0, BLOCKS, ended);
      try (TransferSide writer = side("writer", "", 1)) {
        assertEquals(TransferStatus.OK, writer.writeAndWait(grant, 0, BLOCKS / 2));
        writer.write(grant, BLOCKS / 2, 4); // Perhaps under way when it goes.
      }
      try (TransferSide again = side("writer", "", 1)) {
        assertEquals(TransferStatus.OK, again.writeAndWait(grant, 0, BLOCKS));
        assertEquals(GrantOutcome.Ending.COMPLETE, TransferSide.await(ended).ending());
        assertTrue(again.equals(receiver, 0, BLOCKS));
      }
    }
  }

  @Test
  void shouldPushBackWhenTheReceiverIsSlow() throws Exception {
    final String small =
        "queue-blocks = 4, in-flight-blocks-max = 4, acknowledge-timeout = 20s,"
            + " ipc.term-length = 1 MiB, udp.term-length = 1 MiB";
    final CountDownLatch goOn = new CountDownLatch(1);
    try (TransferSide writer = side("writer", small, 1);
        TransferSide receiver = side("receiver", "", 2)) {
      final CompletableFuture<GrantOutcome> stuck = new CompletableFuture<>();
      final CompletableFuture<Boolean> released = new CompletableFuture<>();
      final Grant first =
          receiver
              .agent
              .grant(
                  receiver.registered,
                  List.of(0),
                  TransferSide.LIFE,
                  outcome -> { // On the receiver's thread.
                    stuck.complete(outcome);
                    released.complete(awaitLatch(goOn));
                  })
              .orElseThrow();
      final Grant rest = receiver.grant(1, 40);
      final List<CompletableFuture<WriteOutcome>> writes = new ArrayList<>();
      writes.add(writer.write(first, 0, 1));
      TransferSide.await(stuck);
      for (int block = 1; block < 41; block++) writes.add(writer.write(rest, block, 1));
      goOn.countDown();
      assertTrue(TransferSide.await(released));
      int pushedBack = 0;
      for (CompletableFuture<WriteOutcome> write : writes) {
        final TransferStatus status = TransferSide.await(write).status();
        if (status == TransferStatus.BACK_PRESSURED) pushedBack++;
        else assertEquals(TransferStatus.OK, status);
      }
      assertTrue(pushedBack > 0 && pushedBack <= 40 - 4, "pushed back: " + pushedBack);
    }
  }

  private static boolean awaitLatch(CountDownLatch latch) {
    try {
      return latch.await(10, TimeUnit.SECONDS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  @Test
  void shouldNoticeAKilledReceiverAndReachItsSuccessor() throws Exception {
    try (TransferSide writer = side("writer", "", 1)) {
      final Grant stale;
      try (ReceiverProcess receiver = ReceiverProcess.start(kind(), "")) {
        stale = receiver.grant(kind());
        assertEquals(TransferStatus.OK, writer.writeAndWait(stale, 0, 4));
        receiver.kill();
      }
      assertEquals(TransferStatus.UNREACHABLE, writer.writeAndWait(stale, 4, 4));
      try (ReceiverProcess successor = ReceiverProcess.start(kind(), "")) {
        final Grant grant = successor.grant(kind());
        assertEquals(TransferStatus.OK, writer.writeAndWait(grant, 0, BLOCKS));
      }
    }
  }

  @Test
  void shouldGoOnWithAReceiverThatHungForLong() throws Exception {
    try (TransferSide writer = side("writer", "", 1);
        ReceiverProcess receiver = ReceiverProcess.start(kind(), "")) {
      final Grant grant = receiver.grant(kind());
      assertEquals(TransferStatus.OK, writer.writeAndWait(grant, 0, 4));
      receiver.stop();
      TransferStatus status = TransferStatus.OK;
      final long stoppedNs = System.nanoTime();
      while (System.nanoTime() - stoppedNs < TimeUnit.SECONDS.toNanos(3)) { // Beyond its liveness.
        status = writer.writeAndWait(grant, 4, 4);
        assertEquals(TransferStatus.UNREACHABLE, status);
      }
      receiver.goOn();
      final long resumedNs = System.nanoTime();
      while (status != TransferStatus.OK
          && System.nanoTime() - resumedNs < TimeUnit.SECONDS.toNanos(20)) {
        status = writer.writeAndWait(grant, 4, BLOCKS - 4);
      }
      assertEquals(TransferStatus.OK, status);
    }
  }

  @Test
  void shouldCarryMessagesThatAreLongerThanAFrame() throws Exception {
    final String small = "udp.mtu = 1408";
    try (TransferBackend writer = AeronTransports.of(kind(), small);
        TransferBackend receiver = AeronTransports.of(kind(), small)) {
      final CompletableFuture<MemorySegment> got = new CompletableFuture<>();
      writer.attach("writer", new MessageCatcher(new CompletableFuture<>()));
      final AgentAddress to =
          new AgentAddress(
              "receiver", HostId.current(), receiver.attach("receiver", new MessageCatcher(got)));
      final byte[] message = new byte[TransferBackend.MESSAGE_BYTES_MAX];
      for (int i = 0; i < message.length; i++) message[i] = (byte) (31 * i);
      assertTrue(writer.send(to, MemorySegment.ofArray(message)));
      assertEquals(-1, TransferSide.await(got).mismatch(MemorySegment.ofArray(message)));
      assertFalse(writer.send(to, MemorySegment.ofArray(new byte[message.length + 1])));
    }
  }

  private record MessageCatcher(CompletableFuture<MemorySegment> got) implements BlockSink {
    @Override
    public BlockLanding begin(
        long grantId, long keyHigh, long keyLow, int targetBlock, long blockBytes) {
      throw new AssertionError("no block was sent");
    }

    @Override
    public List<TransferStatus> deliverAll(List<BlockDelivery> deliveries) {
      throw new AssertionError("no block was sent");
    }

    @Override
    public void receive(MemorySegment message) {
      got.complete(MemorySegment.ofArray(message.toArray(ValueLayout.JAVA_BYTE)));
    }
  }

  /** Folders of media drivers that this process has left. */
  static List<Path> ownDriverFolders() throws Exception {
    try (var folders =
        Files.newDirectoryStream(
            Path.of(AeronTransports.config("").getString("home")),
            "stator-aeron-" + ProcessHandle.current().pid() + "-*")) {
      final List<Path> found = new ArrayList<>();
      folders.forEach(found::add);
      return found;
    }
  }

  @Test
  void shouldLeaveNoFolderBehind() throws Exception {
    final List<Path> before = ownDriverFolders();
    try (TransferSide writer = side("writer", "", 1);
        TransferSide receiver = side("receiver", "", 2)) {
      assertEquals(TransferStatus.OK, writer.writeAndWait(receiver.grant(0, 2), 0, 2));
      assertEquals(before.size() + 2, ownDriverFolders().size());
    }
    assertEquals(before, ownDriverFolders());
  }
}
