package dev.stator.device.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.stator.device.MemoryPlan;
import dev.stator.device.cpu.BackgroundPacking.Plan;
import dev.stator.device.cpu.CpuDeviceSettings.Kernels;
import dev.stator.device.cpu.CpuDeviceSettings.Pack;
import dev.stator.model.LoadedModel;
import dev.stator.model.ModelConfig;
import dev.stator.model.ModelFormatException;
import dev.stator.model.RopeScaling;
import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightType;
import dev.stator.model.file.ModelFiles;
import dev.stator.testing.Families;
import dev.stator.testing.RandomModels;
import dev.stator.testing.Sequences;
import dev.stator.testing.TestModels;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A device that serves before its weights are packed: the same answers, and an orderly end. */
@Timeout(120)
class PackWhileServingTest {
  private static final CpuDeviceSettings SETTINGS =
      new CpuDeviceSettings(2, 0, 8, 64, 0, Kernels.AUTO);

  /** Every model; pieces are packed when the test says so. */
  private static final Plan BY_HAND = new Plan(0, 0, Duration.ZERO);

  private static final Plan AT_ONCE = new Plan(0, 2, Duration.ZERO);

  private static final int TOKENS = 60;
  private static final int MANY = 9; // Of one step; the kernels take several panels of fewer.

  /** Wide enough for blocks of 256. */
  private static final ModelConfig SHAPE =
      new ModelConfig(
          "llama",
          2,
          256,
          512,
          4,
          2,
          64,
          150,
          128,
          1e-5f,
          10_000f,
          new RopeScaling.None(),
          ModelConfig.RopeLayout.INTERLEAVED,
          false,
          false,
          false);

  private static NativeKernels kernels() {
    final NativeKernels.Found found = NativeKernels.find();
    assumeTrue(found.kernels() != null, "needs native kernels: " + found.obstacle());
    return found.kernels();
  }

  static List<WeightType> nativeTypes() {
    final NativeKernels kernels = NativeKernels.find().kernels();
    return kernels == null
        ? List.of(WeightType.Q8_0)
        : Arrays.stream(WeightType.values()).filter(t -> kernels.format(t).isPresent()).toList();
  }

  private static CpuDevice device(LoadedModel model, Plan plan) {
    return CpuDevice.create(model, SETTINGS, CpuDevice.ownMemory(), plan);
  }

  private static float[] logits(CpuDevice device, int chunk) {
    final int[] tokens = new Random(3).ints(TOKENS, 0, device.vocabularySize()).toArray();
    return Sequences.prefill(device, tokens, Sequences.blocks(0, TOKENS), chunk).clone();
  }

  @ParameterizedTest
  @MethodSource("nativeTypes")
  void shouldGiveTheSameLogitsBeforeWhileAndAfterItsWeightsArePacked(WeightType type) {
    kernels();
    try (LoadedModel model = RandomModels.of(SHAPE, 5, type);
        CpuDevice ready = CpuDevice.create(model, SETTINGS);
        CpuDevice early = device(model, BY_HAND)) {
      assertEquals(ready.numericsFingerprint(), early.numericsFingerprint());
      assertEquals(ready.description(), early.description());
      final float[] expected = logits(ready, MANY);
      assertArrayEquals(expected, logits(early, MANY), "none is packed");
      assertArrayEquals(expected, logits(early, 1), "none is packed, token by token");
      for (int i = 0; i < 20; i++) assertTrue(early.packing().packNext());
      assertArrayEquals(expected, logits(early, MANY), "some are packed");
      while (!early.packing().isDone()) early.packing().packNext();
      assertArrayEquals(expected, logits(early, MANY), "all are packed");
      assertNull(early.packing());
    }
  }

  @Test
  void shouldGiveTheSameLogitsWhileThreadsPackAMixtureOfNativeAndJavasWeights() {
    kernels();
    final ModelConfig experts = Families.mixtral();
    try (LoadedModel model =
            RandomModels.of(experts, 7, WeightType.Q8_0, WeightType.F32, WeightType.Q4_0);
        CpuDevice ready = CpuDevice.create(model, SETTINGS)) {
      final float[] expected = logits(ready, MANY);
      for (int i = 0; i < 4; i++) {
        try (CpuDevice early = device(model, AT_ONCE)) {
          for (int run = 0; run < 3; run++) {
            assertArrayEquals(expected, logits(early, run % 2 == 0 ? MANY : 7));
          }
        }
      }
    }
  }

  @Test
  void shouldStopPackingBeforeItsMemoryAndTheFileGoWhenClosed() {
    kernels();
    for (int i = 0; i < 5; i++) {
      try (LoadedModel model = ModelFiles.open(TestModels.bundled());
          CpuDevice device = device(model, AT_ONCE)) {
        assertNotNull(device.packing()); // A thread that went on would end the JVM.
      }
    }
  }

  @Test
  void shouldCountThePanelsUntilAllWeightsArePacked() {
    kernels();
    try (LoadedModel model = RandomModels.of(SHAPE, 5, WeightType.Q8_0);
        CpuDevice ready = CpuDevice.create(model, SETTINGS);
        CpuDevice early = device(model, BY_HAND)) {
      final List<MemoryPlan.Term> terms = early.memoryPlan().terms();
      final MemoryPlan.Term panels = terms.getLast();
      assertEquals("a panel of weights for each thread, until all are packed", panels.what());
      final long panelBytes = 512 * 16 + 512 / 32 * 32; // Of the widest, in Q8_0.
      assertTrue(panels.bytes() >= 2 * panelBytes, panels.bytes() + " bytes");
      while (!early.packing().isDone()) early.packing().packNext();
      assertEquals(terms, early.memoryPlan().terms());
      logits(early, MANY);
      assertEquals(ready.memoryPlan(), early.memoryPlan());
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldNameTheTensorBeforeItIsThereWhenAScaleIsNotFinite(Pack pack) {
    kernels();
    final Plan plan = pack == Pack.WHILE_SERVING ? BY_HAND : Plan.of(SETTINGS);
    for (WeightType type : nativeTypes()) {
      try (LoadedModel broken = RandomModels.of(SHAPE, 1, type)) {
        final WeightMatrix down = broken.weights().layers().get(1).down();
        final int scaleOffset = type == WeightType.Q6_K ? 208 : 0;
        final long at = 17 * type.byteSize(down.columnCount()) + scaleOffset;
        down.data().set(ValueLayout.JAVA_SHORT_UNALIGNED, at, (short) 0xFFFF);
        final var e = assertThrows(ModelFormatException.class, () -> device(broken, plan).close());
        assertEquals(
            "tensor "
                + down.name()
                + " has a "
                + (type.blockLength() == 1 ? "value" : "scale")
                + " that is not finite in row 17",
            e.getMessage());
      }
    }
  }

  @Test
  void shouldFailStepsWhenTheFileChangesBeforeItIsPacked() {
    kernels();
    try (LoadedModel model = RandomModels.of(SHAPE, 5, WeightType.Q8_0);
        CpuDevice early = device(model, BY_HAND)) {
      logits(early, MANY);
      final WeightMatrix head = model.weights().outputHead();
      final long last = head.data().byteSize() - 1;
      final byte old = head.data().get(ValueLayout.JAVA_BYTE, last);
      head.data().set(ValueLayout.JAVA_BYTE, last, (byte) (old + 1));
      while (early.packing().packNext()) assertNotNull(early.packing());
      final var e = assertThrows(IllegalStateException.class, () -> logits(early, MANY));
      assertEquals(
          "tensor " + head.name() + " has changed in the file since it was checked",
          e.getCause().getMessage());
    }
  }

  @Test
  void shouldPackBeforeItIsThereWhenTheModelIsSmallOrJavaMultipliesIt() {
    final CpuDeviceSettings early = SETTINGS.withPack(Pack.WHILE_SERVING);
    try (LoadedModel model = RandomModels.of(SHAPE, 5, WeightType.Q8_0);
        CpuDevice small = CpuDevice.create(model, early);
        CpuDevice java =
            CpuDevice.create(
                model,
                new CpuDeviceSettings(1, 0, 8, 64, 0, Kernels.VECTOR),
                CpuDevice.ownMemory(),
                BY_HAND)) {
      assertNull(small.packing());
      assertNull(java.packing());
    }
  }
}
