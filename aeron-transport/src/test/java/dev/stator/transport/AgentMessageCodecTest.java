package dev.stator.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Messages come back as they were; anything else is refused without harm. */
class AgentMessageCodecTest {
  private static final AgentAddress ADDRESS =
      new AgentAddress("prefill-1", "a host", Map.of("shared", "/somewhere", "udp", "a:1"));
  private static final BlockGeometry GEOMETRY = new BlockGeometry(4096, "f32, 2 heads");
  private static final AgentMessage REQUEST = request(ADDRESS, GEOMETRY, 3);
  private static final AgentMessage FAILED =
      new AgentMessage.ReadFailed(1, 2, 3, TransferStatus.WRONG_KEY);

  private static AgentMessage request(AgentAddress address, BlockGeometry geometry, int moveCount) {
    final List<BlockMove> moves =
        IntStream.range(0, moveCount).mapToObj(i -> new BlockMove(i, 2 * i)).toList();
    final List<Integer> targets = moves.stream().map(BlockMove::targetBlock).toList();
    return new AgentMessage.ReadRequest(
        4, 5, 6, new Grant(address, 1, 2, 3, targets, geometry, Duration.ofSeconds(5)), moves);
  }

  @Test
  void shouldComeBackAsTheyWere() {
    for (AgentMessage message : List.of(REQUEST, FAILED)) {
      assertEquals(
          Optional.of(message), AgentMessageCodec.decode(AgentMessageCodec.encode(message)));
    }
  }

  @Test
  void shouldFitTheLongestMessageIntoABackends() {
    final String longest = "x".repeat(AgentAddress.TEXT_BYTES_MAX - 1);
    final Map<String, String> endpoints =
        Map.of(
            longest + 1,
            longest + 1,
            longest + 2,
            longest,
            longest + 3,
            longest,
            longest + 4,
            longest,
            longest + 5,
            longest,
            longest + 6,
            longest);
    final AgentAddress address = new AgentAddress(longest, longest, endpoints);
    final AgentMessage message =
        request(address, new BlockGeometry(1, longest), AgentMessage.ReadRequest.MOVES_MAX);
    final ByteBuffer bytes = AgentMessageCodec.encode(message);
    assertTrue(bytes.remaining() <= TransferBackend.MESSAGE_BYTES_MAX);
    assertEquals(Optional.of(message), AgentMessageCodec.decode(bytes));
  }

  @Test
  void shouldRefuseWhatIsTooShortOrTooLong() {
    for (AgentMessage message : List.of(REQUEST, FAILED)) {
      final ByteBuffer bytes = AgentMessageCodec.encode(message);
      for (int length = 0; length < bytes.remaining(); length++) {
        assertEquals(Optional.empty(), AgentMessageCodec.decode(bytes.slice(0, length)));
      }
      final ByteBuffer longer = ByteBuffer.allocate(bytes.remaining() + 1).put(bytes).clear();
      assertEquals(Optional.empty(), AgentMessageCodec.decode(longer));
    }
  }

  @Test
  void shouldSurviveAnyBytes() {
    final Random random = new Random(17);
    final List<AgentMessage> messages = List.of(REQUEST, FAILED);
    int understood = 0;
    for (int i = 0; i < 50_000; i++) {
      final ByteBuffer bytes = AgentMessageCodec.encode(messages.get(i % 2));
      for (int flips = random.nextInt(1, 4); flips > 0; flips--) {
        bytes.put(random.nextInt(bytes.remaining()), (byte) random.nextInt());
      }
      if (AgentMessageCodec.decode(bytes).isPresent()) understood++;
    }
    assertTrue(understood > 1000 && understood < 49_000, "understood " + understood);
  }
}
