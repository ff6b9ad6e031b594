package dev.stator.transport.local;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.transport.RejectionCounters;
import dev.stator.transport.TransferStatus;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A block is ended once, whatever breaks under its post: its second end would be another way's. */
class PostingConnectionTest {
  private final SocketLoop loop = new SocketLoop("test");
  private final Outbox<Block> outbox = new Outbox<>(1, 9, 1 << 10);
  private final List<Block> blocks = Stream.generate(Block::new).limit(3).toList();

  @AfterEach
  void close() {
    loop.close();
  }

  private static final class Block implements Outbox.Item {
    private final List<TransferStatus> ends = new ArrayList<>();

    @Override
    public String agent() {
      return "reader";
    }

    @Override
    public long bytes() {
      return 1;
    }

    @Override
    public boolean isDropped() {
      return false;
    }

    @Override
    public void end(TransferStatus status) {
      ends.add(status);
    }
  }

  /** Posts all that is in the outbox, as it is told. */
  private final class Way extends PostingConnection<Block> {
    private final Function<List<Block>, Ready<Block>> preparation;

    private Way(Function<List<Block>, Ready<Block>> preparation) throws IOException {
      super(
          0,
          PostingConnectionTest.this.outbox,
          SocketChannel.open(StandardProtocolFamily.UNIX),
          PostingConnectionTest.this.loop,
          new RejectionCounters());
      this.preparation = preparation;
    }

    @Override
    protected Ready<Block> prepare(List<Block> batch) {
      return preparation.apply(batch);
    }

    @Override
    protected String onFrame(byte kind, int count, ByteBuffer body) {
      throw new AssertionError("nobody sends any");
    }

    @Override
    protected void onClosed() {
      for (Block left : outbox.close()) left.end(TransferStatus.UNREACHABLE);
    }
  }

  private void post(Way way) {
    outbox.add(blocks);
    assertTrue(way.mustPump());
    way.pump();
  }

  private void assertEnds(TransferStatus... ends) {
    for (Block block : blocks) assertEquals(List.of(ends), block.ends);
  }

  @Test
  void shouldEndBlocksOnceThatCannotBeReadied() throws IOException {
    final Way way =
        new Way(batch -> {
          throw new IllegalStateException("planted");
        });
    post(way);
    assertTrue(way.isClosed());
    assertEnds(TransferStatus.UNREACHABLE);
  }

  @Test
  void shouldEndBlocksOnceWhoseFrameCannotBeWritten() throws IOException {
    final Way way =
        new Way(batch ->
            new PostingConnection.Ready<>(
                batch,
                sequences -> {
                  throw new IllegalStateException("planted");
                }));
    post(way);
    assertTrue(way.isClosed());
    assertEnds(TransferStatus.UNREACHABLE);
  }

  @Test
  void shouldEndBlocksAsItIsToldWhyTheyAreNotPosted() throws IOException {
    final Way way =
        new Way(batch ->
            new PostingConnection.Ready<>(batch, sequences -> TransferStatus.BACK_PRESSURED));
    post(way);
    assertEnds(TransferStatus.BACK_PRESSURED);
    way.close();
    assertEnds(TransferStatus.BACK_PRESSURED);
  }

  @Test
  void shouldEndBlocksOnceThatMeetAClosedOutbox() throws IOException {
    final Way way =
        new Way(batch -> {
          outbox.close();
          return new PostingConnection.Ready<>(
              batch,
              sequences -> {
                throw new AssertionError("nothing is posted any more");
              });
        });
    post(way);
    assertEnds(TransferStatus.UNREACHABLE);
  }
}
