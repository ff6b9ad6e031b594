package dev.stator.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.device.DeviceKind;
import dev.stator.device.cuda.Cuda;
import dev.stator.device.cuda.CudaGpu;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DeviceChoiceTest {
  private static final CudaGpu FIRST = gpu(0, Optional.empty());
  private static final CudaGpu OLD = gpu(1, Optional.of("too old"));
  private static final CudaGpu LAST = gpu(2, Optional.empty());
  private static final Cuda.Found THREE =
      new Cuda.Found(List.of(FIRST, OLD, LAST), Optional.empty(), true);
  private static final Cuda.Found NONE =
      new Cuda.Found(List.of(), Optional.of("there is no CUDA driver"), false);
  private static final Optional<String> SERVED = Optional.empty();
  private static final Optional<String> NOT_SERVED = Optional.of("no kernels for it");

  private static CudaGpu gpu(int index, Optional<String> obstacle) {
    return new CudaGpu(index, "GPU", 1L << 30, 90, obstacle);
  }

  private static DeviceChoice choice(
      DeviceKind kind, Cuda.Found found, int firstGpu, Optional<String> modelObstacle) {
    return DeviceChoice.of(kind, () -> found, firstGpu, () -> modelObstacle);
  }

  @ParameterizedTest
  @EnumSource(names = {"AUTO", "CUDA"})
  void shouldGiveSlotsTheUsableGpusInTurn(DeviceKind kind) {
    final DeviceChoice choice = choice(kind, THREE, 0, SERVED);
    assertEquals(List.of(FIRST), choice.gpus(0, 1));
    assertEquals(List.of(LAST), choice.gpus(1, 1));
    assertEquals(List.of(FIRST), choice.gpus(2, 1));
    assertEquals(List.of(FIRST, LAST), choice.gpus(1, 2));
    assertEquals(List.of(LAST), choice(kind, THREE, 1, SERVED).gpus(0, 1));
  }

  @Test
  void shouldTakeTheCpuWhenNoGpuCanBeUsedForTheModel() {
    assertTrue(choice(DeviceKind.AUTO, NONE, 0, SERVED).isCpu());
    assertTrue(choice(DeviceKind.AUTO, THREE, 3, SERVED).isCpu());
    assertTrue(choice(DeviceKind.AUTO, THREE, 0, NOT_SERVED).isCpu());
  }

  @Test
  void shouldSayWhyWhenAGpuIsNeededAndNoneCanBeUsed() {
    refused("there is no CUDA driver", NONE, 0, SERVED);
    refused("no GPU from number 3 on (stator.device.cuda.ordinal) can be used", THREE, 3, SERVED);
    refused("no kernels for it", THREE, 0, NOT_SERVED);
  }

  @Test
  void shouldLookForNoGpuWhenTheCpuIsWanted() {
    final DeviceChoice choice =
        DeviceChoice.of(
            DeviceKind.CPU,
            () -> {
              throw new AssertionError("GPUs are looked for");
            },
            0,
            () -> SERVED);
    assertTrue(choice.isCpu());
  }

  private static void refused(
      String why, Cuda.Found found, int firstGpu, Optional<String> modelObstacle) {
    final var e =
        assertThrows(
            IllegalArgumentException.class,
            () -> choice(DeviceKind.CUDA, found, firstGpu, modelObstacle));
    assertEquals("stator.device.kind is cuda, but " + why, e.getMessage());
  }
}
