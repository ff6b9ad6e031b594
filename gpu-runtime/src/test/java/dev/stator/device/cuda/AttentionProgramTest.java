package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.stator.device.cuda.AttentionFixture.Heads;
import dev.stator.device.cuda.AttentionFixture.Part;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The emulated kernels against the program that NUMERICS.md has written down, to the bit. */
class AttentionProgramTest {
  private static final int CHUNK_FROM = 1000;
  private static final int CHUNK_TOKENS = 66; // Prefill's.

  @ParameterizedTest
  @MethodSource("dev.stator.device.cuda.AttentionKernelsTest#heads")
  void shouldComputeTheProgram(Heads heads) {
    final int length = CHUNK_FROM + CHUNK_TOKENS;
    try (var fixture = new AttentionFixture(CudaTests.emulated(), heads, 8, length, 513)) {
      final short[] results = fixture.run(new Part(0, CHUNK_FROM, CHUNK_TOKENS), Part.last(1, 513));
      for (int head = 0; head < heads.count(); head += Math.max(1, heads.count() / 2)) {
        for (int token : new int[] {0, 23, 24, CHUNK_TOKENS - 1}) {
          check(fixture, results, token, 0, CHUNK_FROM + token, head);
        }
        check(fixture, results, CHUNK_TOKENS, 1, 512, head);
      }
    }
  }

  @Test
  void shouldLeaveTheProgramsRoundingErrors() {
    try (var fixture =
        new AttentionFixture(CudaTests.emulated(), Heads.plain(4, 1, 64), 11, 1580)) {
      fixture.cancel(0);
      final Part chunk = new Part(0, 1540, 20);
      final short[] results = fixture.run(chunk, Part.last(0, 1580));
      for (int head = 0; head < 4; head++) {
        check(fixture, results, 0, 0, 1540, head);
        check(fixture, results, 20, 0, 1579, head);
      }
    }
  }

  private static void check(
      AttentionFixture fixture, short[] results, int row, int sequence, int position, int head) {
    final int size = fixture.heads().size();
    final int from = row * fixture.heads().querySize() + head * size;
    assertArrayEquals(
        AttentionProgram.run(fixture, sequence, position, head),
        Arrays.copyOfRange(results, from, from + size),
        "position " + position + ", head " + head);
  }
}
