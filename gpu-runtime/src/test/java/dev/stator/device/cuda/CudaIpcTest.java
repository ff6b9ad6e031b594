package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.device.BlockCopies;
import dev.stator.device.Device;
import dev.stator.device.StepInput;
import dev.stator.model.LoadedModel;
import dev.stator.testing.Sequences;
import java.io.BufferedReader;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Blocks that another process's device has computed, pulled into this one's. */
@Timeout(120)
class CudaIpcTest {
  private final LoadedModel model = LendingCuda.model();
  private final int[] tokens = LendingCuda.tokens();

  @AfterEach
  void close() {
    model.close();
  }

  private CudaDevice device(Driver driver) {
    return CudaDevice.create(model, LendingCuda.SETTINGS, driver);
  }

  @Test
  void shouldPullBlocksOfAnotherProcessBesideRunningSteps() throws Exception {
    CudaTests.library();
    final Process lender = LendingCuda.start(LendingCuda.class);
    try (BufferedReader said = lender.inputReader();
        CudaDevice device = device(CudaTests.openShared())) {
      CudaDeviceTest.poison(device);
      final byte[] handle = HexFormat.of().parseHex(said.readLine());
      final BlockCopies.PeerBlocks peer = device.blockCopies().open(handle);
      assertEquals(LendingCuda.BLOCKS, peer.blockCount());
      final CompletableFuture<Void> pulled =
          CompletableFuture.runAsync(
              () -> peer.pull(LendingCuda.COMPUTED, new int[] {1, 6}), Thread::startVirtualThread);
      for (int i = 0; i < 3; i++) { // Other blocks' steps.
        final float[] logits =
            Sequences.prefill(device, tokens, new int[] {3, 4, 5}, LendingCuda.PROMPT);
        assertTrue(Float.isFinite(logits[0]));
      }
      pulled.get(30, TimeUnit.SECONDS);
      assertEquals(said.readLine(), "" + LendingCuda.checksum(device, 1));
      assertEquals(said.readLine(), "" + LendingCuda.checksum(device, 6));
      assertArrayEquals(next(device, new int[] {3, 4, 0}), next(device, new int[] {1, 6, 0}));
      assertThrows(
          IllegalArgumentException.class,
          () -> peer.pull(new int[] {LendingCuda.BLOCKS}, new int[] {0}));
      assertThrows(IllegalArgumentException.class, () -> peer.pull(new int[] {0}, new int[] {-1}));
      peer.close();
      assertThrows(CudaException.class, () -> peer.pull(new int[] {0}, new int[] {0}));
      final byte[] more = handle.clone();
      more[6]++; // Blocks; behind them lies one for padding, and what a driver rounds up.
      assertNull(device.blockCopies().open(more), "more blocks than there are");
      final BlockCopies.PeerBlocks again = device.blockCopies().open(handle);
      lender.outputWriter().close();
      assertTrue(lender.waitFor(30, TimeUnit.SECONDS));
      again.close(); // Its owner has gone.
      assertNull(device.blockCopies().open(handle));
    } finally {
      lender.destroyForcibly();
    }
  }

  /** Logits behind the last token, whose predecessors lie in the blocks. */
  private float[] next(Device device, int[] blocks) {
    final var slice = new StepInput.Slice(tokens, LendingCuda.PROMPT, 1, blocks, 1);
    return device.run(new StepInput(List.of(slice))).logits(0, 0).clone();
  }

  @Test
  void shouldNotOpenItsOwnBlocksNorWhatIsNoHandle() {
    try (CudaDevice device = device(CudaTests.openShared())) {
      final byte[] own = device.blockCopies().handle();
      assertNotNull(own);
      assertNull(device.blockCopies().open(own));
      own[8] ^= 1; // As another process says it; the driver knows better.
      assertNull(device.blockCopies().open(own));
      assertNull(device.blockCopies().open(Arrays.copyOf(own, own.length - 1)));
      assertNull(device.blockCopies().open(new byte[256]));
    }
  }

  @Test
  void shouldLendNothingWhereTheDriverDoesNotShareMemory() {
    try (CudaDevice device = device(CudaTests.emulated())) {
      assertNull(device.blockCopies().handle());
    }
  }

  @Test
  void shouldCloseAfterItsDevice() throws Exception {
    CudaTests.library();
    final Process lender = LendingCuda.start(LendingCuda.class);
    try (BufferedReader said = lender.inputReader()) {
      final CudaDevice device = device(CudaTests.openShared());
      final BlockCopies.PeerBlocks peer =
          device.blockCopies().open(HexFormat.of().parseHex(said.readLine()));
      device.close();
      peer.close();
      assertThrows(CudaException.class, () -> peer.pull(new int[] {0}, new int[] {0}));
    } finally {
      lender.outputWriter().close();
      assertTrue(lender.waitFor(30, TimeUnit.SECONDS));
    }
  }
}
