package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.device.BlockCopies;
import dev.stator.device.Device;
import dev.stator.device.StepInput;
import dev.stator.model.LoadedModel;
import dev.stator.model.WeightType;
import dev.stator.testing.RandomModels;
import dev.stator.testing.Sequences;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class CudaBlockCopiesTest {
  private static final int BLOCKS = 8;
  private static final int BUFFERS = 3;
  private static final int PROMPT = 2 * CudaDevice.BLOCK_SIZE;
  private static final CudaDeviceSettings SETTINGS =
      new CudaDeviceSettings(
          0,
          CudaDeviceSettings.KV_BYTES_AUTO,
          0.5,
          BLOCKS,
          PROMPT + 1,
          0,
          CudaDeviceSettings.STAGING_BYTES_MIN,
          BUFFERS,
          0,
          1 << 16,
          true,
          false,
          1);

  private final LoadedModel model = RandomModels.of(RandomModels.LLAMA, 3, WeightType.Q8_0);
  private final int[] tokens =
      new Random(5).ints(PROMPT + 1, 0, RandomModels.LLAMA.vocabularySize()).toArray();

  @AfterEach
  void close() {
    model.close();
  }

  private CudaDevice device() {
    return CudaDevice.create(model, SETTINGS, CudaTests.open());
  }

  @Test
  void shouldMoveBlocksFromAnyThreadBesideRunningSteps() throws Exception {
    try (CudaDevice from = device();
        CudaDevice to = device()) {
      CudaDeviceTest.poison(to);
      Sequences.prefill(from, Arrays.copyOf(tokens, PROMPT), new int[] {5, 2}, PROMPT);
      final CompletableFuture<Void> moved =
          CompletableFuture.runAsync(
              () -> {
                move(from, 5, to, 1);
                move(from, 2, to, 6);
              },
              Thread::startVirtualThread);
      for (int i = 0; i < 3; i++) { // Other blocks' steps.
        final float[] logits = Sequences.prefill(from, tokens, new int[] {3, 4, 6}, PROMPT);
        assertTrue(Float.isFinite(logits[0]));
      }
      moved.get(30, TimeUnit.SECONDS);
      assertArrayEquals(next(from, new int[] {5, 2, 7}), next(to, new int[] {1, 6, 0}));
    }
  }

  /** Logits behind the last token, whose predecessors lie in the blocks. */
  private float[] next(Device device, int[] blocks) {
    final var slice = new StepInput.Slice(tokens, PROMPT, 1, blocks, 1);
    return device.run(new StepInput(List.of(slice))).logits(0, 0).clone();
  }

  private static void move(Device from, int source, Device to, int target) {
    final MemorySegment out = from.blockCopies().take();
    final MemorySegment in = to.blockCopies().take();
    from.blockCopies().read(source, out);
    to.blockCopies().write(target, in.copyFrom(out));
    from.blockCopies().give(out);
    to.blockCopies().give(in);
  }

  @Test
  void shouldCopyBlocksStraightToAnotherDevice() {
    try (CudaDevice from = device();
        CudaDevice to = device()) {
      CudaDeviceTest.poison(to);
      Sequences.prefill(from, Arrays.copyOf(tokens, PROMPT), new int[] {5, 2}, PROMPT);
      assertTrue(from.blockCopies().copyTo(5, to.blockCopies(), 1));
      assertTrue(from.blockCopies().copyTo(2, to.blockCopies(), 6));
      assertArrayEquals(next(from, new int[] {5, 2, 7}), next(to, new int[] {1, 6, 0}));
      assertThrows(
          IllegalArgumentException.class,
          () -> from.blockCopies().copyTo(0, to.blockCopies(), BLOCKS));
    }
  }

  @Test
  void shouldHoldAFewBuffersAndShowThemInTheMemoryPlan() {
    try (CudaDevice device = device()) {
      final BlockCopies copies = device.blockCopies();
      final MemorySegment first = copies.take();
      for (int i = 1; i < BUFFERS; i++) copies.take();
      assertNull(copies.take());
      copies.give(first);
      assertEquals(device.kvLayout().blockBytes(), copies.take().byteSize());
      assertTrue(
          device.memoryPlan().toString().contains("copies of 3 blocks"),
          device.memoryPlan().toString());
      assertThrows(UnsupportedOperationException.class, () -> device.block(0));
    }
  }

  @Test
  void shouldRefuseBlocksAndBuffersThatTheDeviceDoesNotHave() {
    final CudaDevice device = device();
    final BlockCopies copies = device.blockCopies();
    final MemorySegment buffer = copies.take();
    for (int block : new int[] {-1, BLOCKS}) {
      assertThrows(IllegalArgumentException.class, () -> copies.read(block, buffer));
      assertThrows(IllegalArgumentException.class, () -> copies.write(block, buffer));
    }
    assertThrows(IllegalArgumentException.class, () -> copies.read(0, buffer.asSlice(1)));
    device.close();
    assertThrows(CudaException.class, () -> copies.read(0, buffer));
    copies.give(buffer);
  }
}
