package dev.stator.transport.local;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.transport.AgentAddress;
import dev.stator.transport.BlockGeometry;
import dev.stator.transport.BlockMove;
import dev.stator.transport.BlockWrite;
import dev.stator.transport.Grant;
import dev.stator.transport.TapBackend;
import dev.stator.transport.TransferAgent;
import dev.stator.transport.TransferSettings;
import dev.stator.transport.TransferStatus;
import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How far posts go ahead of answers. */
class OutboxTest {
  private static final int BLOCKS = 40;
  private static final int BLOCK_BYTES = 64;
  private static final TransferSettings SETTINGS =
      new TransferSettings(9, 9, BLOCKS, BLOCKS, Duration.ofSeconds(2), Duration.ofMillis(10), 1);

  private final Arena arena = Arena.ofShared();
  private final TapBackend tap = new TapBackend();
  private final TransferAgent writer =
      new TransferAgent("writer", SETTINGS, tap, () -> 0, new Random(1));
  private final int memoryId =
      writer.register(arena.allocate((long) BLOCKS * BLOCK_BYTES), BLOCK_BYTES);
  private long writeId;

  @AfterEach
  void stop() {
    writer.close();
    arena.close();
  }

  @Test
  void shouldHandOutNoMoreThanTheWindowUntilThereIsAnAnswer() {
    final Outbox<Parcel> outbox = new Outbox<>(1, BLOCKS, 4 * BLOCK_BYTES);
    outbox.add(parcels(6));
    assertEquals(2, outbox.nextBatch(0).size(), "half a window");
    final long[] sequences = outbox.post(0, outbox.nextBatch(0));
    assertFalse(outbox.isDue(0));
    assertEquals(List.of(), outbox.nextBatch(0));
    outbox.take(sequences[1]);
    assertNull(outbox.take(sequences[1]).getFirst(), "answered twice");
    assertTrue(outbox.isDue(0));
    assertEquals(1, outbox.nextBatch(0).size());
  }

  @Test
  void shouldGiveEachLaneAWindowOfItsOwn() {
    final Outbox<Parcel> outbox = new Outbox<>(2, BLOCKS, 2 * BLOCK_BYTES);
    outbox.add(parcels(6));
    final List<long[]> posted = new ArrayList<>();
    for (int i = 0; i < 4; i++) posted.add(outbox.post(i % 2, outbox.nextBatch(i % 2)));
    assertFalse(outbox.isDue(0) || outbox.isDue(1));
    outbox.take(posted.get(1)[0]);
    outbox.take(posted.get(3)[0]);
    assertTrue(outbox.isIdle(1) && outbox.isDue(1));
    assertFalse(outbox.isIdle(0) || outbox.isDue(0));
  }

  @Test
  void shouldHandOutWhatNobodyPostsAgainstTheWindowNoLonger() {
    final Outbox<Parcel> outbox = new Outbox<>(1, BLOCKS, BLOCK_BYTES);
    outbox.add(parcels(2));
    outbox.drop(0, outbox.nextBatch(0).getFirst());
    assertEquals(1, outbox.nextBatch(0).size());
  }

  @Test
  void shouldHandOutABlockThatIsLongerThanTheWindowAlone() {
    final Outbox<Parcel> outbox = new Outbox<>(1, BLOCKS, 1);
    outbox.add(parcels(2));
    assertEquals(1, outbox.nextBatch(0).size());
    assertFalse(outbox.isDue(0));
  }

  @Test
  void shouldHandOutOneFrameAtATime() {
    final Outbox<Parcel> outbox = new Outbox<>(1, BLOCKS, Long.MAX_VALUE);
    outbox.add(parcels(BLOCKS));
    assertEquals(Outbox.BATCH_BLOCKS_MAX, outbox.nextBatch(0).size());
    assertEquals(BLOCKS - Outbox.BATCH_BLOCKS_MAX, outbox.nextBatch(0).size());
  }

  @Test
  void shouldTakeNoMoreThanThereIsRoomForUntilSomeAreGivenUp() {
    final Outbox<Parcel> outbox = new Outbox<>(1, 4, BLOCK_BYTES);
    assertEquals(4, outbox.add(parcels(5)));
    outbox.post(0, outbox.nextBatch(0));
    final List<Parcel> more = parcels(2);
    assertEquals(0, outbox.add(more));
    writer.cancel(writeId - 1); // Of the first five.
    assertEquals(2, outbox.add(more));
    assertTrue(outbox.isDue(0));
  }

  @Test
  void shouldReturnWhatWaitsAndWhatIsPostedWhenItIsClosed() {
    final Outbox<Parcel> outbox = new Outbox<>(1, BLOCKS, 4 * BLOCK_BYTES);
    outbox.add(parcels(5));
    final List<Parcel> inHand = outbox.nextBatch(0);
    outbox.post(0, inHand.subList(0, 1));
    assertEquals(4, outbox.close().size());
    assertNull(outbox.post(0, inHand.subList(1, 2)));
    assertEquals(-1, outbox.add(inHand));
  }

  private List<Parcel> parcels(int count) {
    tap.offered.clear();
    final List<Integer> blocks = IntStream.range(0, count).boxed().toList();
    final Grant grant =
        new Grant(
            new AgentAddress("reader", "host", Map.of()),
            1,
            2,
            3,
            blocks,
            new BlockGeometry(BLOCK_BYTES, BlockGeometry.PLAIN),
            Duration.ofSeconds(1));
    final List<BlockMove> moves = blocks.stream().map(i -> new BlockMove(i, i)).toList();
    writeId = writer.write(grant, memoryId, moves, outcome -> {});
    return tap.offered.stream().map(write -> new Parcel(write)).toList();
  }

  private record Parcel(BlockWrite write) implements Outbox.Item {
    @Override
    public String agent() {
      return write.grant().agent().agent();
    }

    @Override
    public long bytes() {
      return BLOCK_BYTES;
    }

    @Override
    public boolean isDropped() {
      return write.hasEnded();
    }

    @Override
    public void end(TransferStatus status) {
      write.complete(status);
    }
  }
}
