package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class KernelParamsTest {
  @Test
  void shouldPutEachMemberWhereCDoes() {
    assertLongs(params().address(7).int32(1).int32(2).struct(), 7, 2L << 32 | 1);
    assertLongs(params().int32(3).address(7).struct(), 3, 7);
  }

  @Test
  void shouldLeaveNothingOfTheStructBeforeInItsPadding() {
    final KernelParams params = params().address(-1).address(-1).address(-1);
    assertLongs(params.reset().int32(3).address(7).float32(1).struct(), 3, 7, 0x3f800000L);
  }

  private static KernelParams params() {
    return new KernelParams(Arena.ofAuto());
  }

  private static void assertLongs(MemorySegment struct, long... expected) {
    assertArrayEquals(expected, struct.toArray(ValueLayout.JAVA_LONG));
  }
}
