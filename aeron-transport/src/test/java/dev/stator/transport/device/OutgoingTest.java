package dev.stator.transport.device;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.typesafe.config.ConfigFactory;
import dev.stator.transport.BackendSelector;
import dev.stator.transport.BlockMove;
import dev.stator.transport.BlockWrite;
import dev.stator.transport.Grant;
import dev.stator.transport.LentBlocks;
import dev.stator.transport.LentPool;
import dev.stator.transport.RejectionCounters;
import dev.stator.transport.TapBackend;
import dev.stator.transport.TransferAgent;
import dev.stator.transport.TransferSettings;
import dev.stator.transport.local.SocketLoop;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A way to a process that has gone, or answers nothing. */
@Timeout(60)
class OutgoingTest {
  private static final int BLOCK_BYTES = 64;
  private static final Duration LIFE = Duration.ofMinutes(1);

  @TempDir Path root;
  private final Arena arena = Arena.ofShared();
  private final TapBackend first = new TapBackend();
  private final TapBackend second = new TapBackend();
  private final TapBackend third = new TapBackend();
  private final TransferAgent agent =
      new TransferAgent(
          "writer",
          TransferSettings.from(ConfigFactory.load().getConfig("stator.transport")),
          new BackendSelector(List.of(first, second, third), LIFE, LIFE, () -> 0),
          () -> 0,
          new Random(1));
  private final SocketLoop loop = new SocketLoop("test");
  private RawPeer receiver;
  private Outgoing outgoing;

  @BeforeEach
  void connect() throws IOException {
    receiver = new RawPeer(root);
    final SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    channel.connect(UnixDomainSocketAddress.of(receiver.folder.socket()));
    channel.configureBlocking(false);
    receiver.accept();
    outgoing =
        new Outgoing(
            channel,
            loop,
            new DeviceIpcSettings(root, 1, 8, 1 << 20, 1, 8, Duration.ofMillis(50)),
            receiver.folder.name(),
            new RejectionCounters(),
            (pool, name) -> {},
            closed -> {});
  }

  @AfterEach
  void close() throws IOException {
    agent.close();
    outgoing.close();
    loop.close();
    receiver.close();
    arena.close();
  }

  /** Of a device's block 0. */
  private BlockWrite write(int memoryId) {
    final Grant grant = agent.grant(memoryId, List.of(1), LIFE, outcome -> {}).orElseThrow();
    agent.write(grant, memoryId, List.of(new BlockMove(0, 1)), outcome -> {});
    return first.offered.getLast();
  }

  private int register() {
    return agent.register(new LentBlocks(arena.allocate(2 * BLOCK_BYTES), BLOCK_BYTES));
  }

  @Test
  void shouldEndABlockOnceWhenTheConnectionBreaksUnderItsPost() throws IOException {
    receiver.disconnect();
    final int closing = register();
    final LentPool gone = write(closing).lent().orElseThrow();
    agent.deregister(closing);
    final BlockWrite write = write(register());
    outgoing.offer(List.of(new Parcel(write, gone))); // Which flushes, between pool and post.
    assertEquals(List.of(write), second.offered, "it goes the next way");
    assertEquals(List.of(), third.offered, "and nobody says that this leads nowhere");
  }

  @Test
  void shouldRememberNoPoolThatIsNotReleasedInTime() {
    final int closing = register();
    final BlockWrite write = write(closing);
    outgoing.offer(List.of(new Parcel(write, write.lent().orElseThrow())));
    agent.deregister(closing);
    assertEquals(0, outgoing.awaitedReleases());
  }
}
