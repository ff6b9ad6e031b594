package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.device.BlockCopies;
import dev.stator.device.HostBlocks;
import dev.stator.device.HostBlocks.Copy;
import dev.stator.model.LoadedModel;
import dev.stator.model.WeightType;
import dev.stator.testing.EngineRuns;
import dev.stator.testing.RandomModels;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class CudaHostBlocksTest {
  private static final int BLOCKS = 6;
  private static final int SLOTS = 4;

  private final LoadedModel model = RandomModels.of(RandomModels.LLAMA, 3, WeightType.Q8_0);

  @AfterEach
  void close() {
    model.close();
  }

  /**
   * @param hostTierBlocks room for these, and half of one
   */
  static CudaDevice device(LoadedModel model, int blocks, int hostTierBlocks) {
    final var config = model.config();
    final long blockBytes =
        4L * CudaDevice.BLOCK_SIZE * config.layerCount() * config.keyValueSize();
    final var settings = settings(blocks, hostTierBlocks * blockBytes + blockBytes / 2);
    return CudaDevice.create(model, settings, CudaTests.open());
  }

  private static CudaDeviceSettings settings(int blocks, long hostTierBytes) {
    return new CudaDeviceSettings(
        0,
        CudaDeviceSettings.KV_BYTES_AUTO,
        0.5,
        blocks,
        48,
        0,
        CudaDeviceSettings.STAGING_BYTES_MIN,
        CudaDeviceSettings.HOST_BLOCKS_MIN,
        hostTierBytes,
        1 << 16,
        true,
        true,
        1);
  }

  @Test
  void shouldCopyBlocksToTheHostAndBackToOtherPlaces() throws Exception {
    try (CudaDevice device = device(model, BLOCKS, SLOTS)) {
      final HostBlocks tier = device.hostBlocks();
      assertEquals(SLOTS, tier.slotCount());
      assertTrue(device.memoryPlan().toString().contains("host tier of 4 blocks"));
      for (int block = 0; block < BLOCKS; block++) fill(device, block, block);
      final var stored = new Outcome();
      tier.store(List.of(new Copy(5, 0), new Copy(1, 3)), stored);
      tier.store(List.of(new Copy(2, 1)), new Outcome());
      assertNull(stored.get());
      final var loaded = new Outcome();
      tier.load(List.of(new Copy(0, 3), new Copy(4, 0)), loaded);
      assertNull(loaded.get());
      assertEquals(1, first(device, 0));
      assertEquals(5, first(device, 4));
      assertEquals(3, first(device, 3));
    }
  }

  @Test
  void shouldSayWhatFailedAndGoOn() throws Exception {
    final CudaDevice device = device(model, BLOCKS, SLOTS);
    final HostBlocks tier = device.hostBlocks();
    fill(device, 2, 7);
    final var failed = new Outcome();
    tier.store(List.of(new Copy(2, 0), new Copy(BLOCKS, 1)), failed);
    assertTrue(failed.get() instanceof IndexOutOfBoundsException, failed.get().toString());
    final var stored = new Outcome();
    tier.store(List.of(new Copy(2, 1)), stored);
    assertNull(stored.get());
    device.close();
    device.close();
    final var late = new Outcome();
    tier.load(List.of(new Copy(0, 1)), late);
    assertEquals("the device is closed", late.get().getMessage());
  }

  @Test
  void shouldEndEveryOrderWhenTheDeviceIsClosed() throws Exception {
    final Outcome[] outcomes = new Outcome[2 * BLOCKS];
    try (CudaDevice device = device(model, BLOCKS, SLOTS)) {
      for (int i = 0; i < outcomes.length; i++) {
        outcomes[i] = new Outcome();
        final List<Copy> copies = List.of(new Copy(i % BLOCKS, i % SLOTS));
        if (i % 2 == 0) device.hostBlocks().store(copies, outcomes[i]);
        else device.hostBlocks().load(copies, outcomes[i]);
      }
    }
    for (Outcome outcome : outcomes) outcome.get();
  }

  @Test
  void shouldRefuseMoreOrdersThanThereAreBlocks() throws Exception {
    final CountDownLatch isFull = new CountDownLatch(1);
    final CountDownLatch isBegun = new CountDownLatch(1);
    try (CudaDevice device = device(model, BLOCKS, SLOTS)) {
      final HostBlocks tier = device.hostBlocks();
      final List<Copy> copies = List.of(new Copy(0, 0));
      tier.store(
          copies,
          failure -> {
            isBegun.countDown();
            awaitQuietly(isFull);
          });
      awaitQuietly(isBegun);
      final List<Outcome> waiting = new ArrayList<>();
      for (int i = 0; i < BLOCKS; i++) {
        waiting.add(new Outcome());
        tier.store(copies, waiting.getLast());
      }
      final var refused = new Outcome();
      tier.store(copies, refused);
      assertEquals("6 orders are waiting, as many as there are blocks", refused.get().getMessage());
      isFull.countDown();
      for (Outcome outcome : waiting) assertNull(outcome.get());
    }
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      assertTrue(latch.await(30, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** Each beginning twice, in a pool that holds two of the three. */
  @Test
  void shouldAnswerWithTheSameTokensWhenBlocksComeBackFromTheHost() throws Exception {
    final Random random = new Random(7);
    final List<int[]> prompts = new ArrayList<>();
    final int vocabulary = RandomModels.LLAMA.vocabularySize();
    for (int i = 0; i < 6; i++) {
      final int[] prompt = random.ints(33 + random.nextInt(12), 0, vocabulary).toArray();
      if (i >= 3) System.arraycopy(prompts.get(i - 3), 0, prompt, 0, 32);
      prompts.add(prompt);
    }
    final EngineRuns.Run without;
    final EngineRuns.Run with;
    try (CudaDevice device = device(model, BLOCKS, 0)) {
      without = EngineRuns.answer(device, prompts);
    }
    try (CudaDevice device = device(model, BLOCKS, 4 * BLOCKS)) {
      with = EngineRuns.answer(device, prompts);
    }
    assertEquals(without.answers(), with.answers());
    assertTrue(with.load().hostTier().loadedBlocks() >= 2, with.load().toString());
    assertTrue(with.load().computedTokens() < without.load().computedTokens());
  }

  @Test
  void shouldHaveNoTierWhenNoneIsWanted() {
    try (CudaDevice device = device(model, BLOCKS, 0)) {
      assertNull(device.hostBlocks());
      assertTrue(device.memoryPlan().toString().contains("host tier of 0 blocks"));
    }
  }

  @Test
  void shouldTakeAsMuchAsThePoolButNoMoreThanAShareOfTheMachine() {
    final var auto = settings(BLOCKS, CudaDeviceSettings.HOST_TIER_AUTO);
    assertEquals(10, auto.hostTierBlocks(10, 1000, 1 << 20));
    assertEquals(5, auto.hostTierBlocks(10, 1000, 16 * 5999));
    assertEquals(3, settings(BLOCKS, 3999).hostTierBlocks(10, 1000, 1));
  }

  /** What became of an order. */
  private static final class Outcome implements Consumer<RuntimeException> {
    private final CompletableFuture<RuntimeException> end = new CompletableFuture<>();

    @Override
    public void accept(RuntimeException failure) {
      assertTrue(end.complete(failure), "told twice");
    }

    RuntimeException get() throws Exception {
      return end.get(30, TimeUnit.SECONDS);
    }
  }

  private static void fill(CudaDevice device, int block, int value) {
    final BlockCopies copies = device.blockCopies();
    final MemorySegment buffer = copies.take().fill((byte) value);
    copies.write(block, buffer);
    copies.give(buffer);
  }

  private static int first(CudaDevice device, int block) {
    final BlockCopies copies = device.blockCopies();
    final MemorySegment buffer = copies.take();
    copies.read(block, buffer);
    final int value = buffer.get(ValueLayout.JAVA_BYTE, buffer.byteSize() - 1);
    copies.give(buffer);
    return value;
  }
}
