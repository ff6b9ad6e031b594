package dev.stator.device.cuda;

import dev.stator.device.BlockCopies;
import dev.stator.device.Device;
import dev.stator.model.LoadedModel;
import dev.stator.model.WeightType;
import dev.stator.testing.RandomModels;
import dev.stator.testing.Sequences;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32C;

/** A process whose device has computed blocks that another pulls, and what both have of it. */
public final class LendingCuda {
  static final int BLOCKS = 8;
  static final int PROMPT = 2 * CudaDevice.BLOCK_SIZE;
  public static final int[] COMPUTED = {5, 2};
  static final CudaDeviceSettings SETTINGS =
      new CudaDeviceSettings(
          0,
          CudaDeviceSettings.KV_BYTES_AUTO,
          0.5,
          BLOCKS,
          PROMPT + 1,
          0,
          CudaDeviceSettings.STAGING_BYTES_MIN,
          2,
          0,
          1 << 16,
          true,
          false,
          1);

  private LendingCuda() {}

  public static LoadedModel model() {
    return RandomModels.of(RandomModels.LLAMA, 3, WeightType.Q8_0);
  }

  /** A device that other processes get at; the test is skipped where there is none. */
  public static Device device(LoadedModel model) {
    return CudaDevice.create(model, SETTINGS, CudaTests.openShared());
  }

  /** Fills the computed blocks. */
  public static void compute(Device device) {
    Sequences.prefill(device, Arrays.copyOf(tokens(), PROMPT), COMPUTED, PROMPT);
  }

  /** One more than the prompt. */
  static int[] tokens() {
    return new Random(5).ints(PROMPT + 1, 0, RandomModels.LLAMA.vocabularySize()).toArray();
  }

  /** Of a block, as it lies on the device. */
  public static long checksum(Device device, int block) {
    final BlockCopies copies = device.blockCopies();
    final MemorySegment buffer = copies.take();
    copies.read(block, buffer);
    final CRC32C checksum = new CRC32C();
    checksum.update(buffer.asByteBuffer());
    copies.give(buffer);
    return checksum.getValue();
  }

  /** Starts another process, which gets at the same devices; told by its input's end to end. */
  public static Process start(Class<?> main, String... arguments) throws IOException {
    final List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--add-modules=jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-Dstator.test.cuda=" + System.getProperty("stator.test.cuda", ""),
                "-cp",
                System.getProperty("java.class.path"),
                main.getName()));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  /** Prints its handle and the computed blocks' checksums, and keeps them until the input ends. */
  public static void main(String[] args) throws IOException {
    try (LoadedModel model = model();
        Device device = device(model)) {
      compute(device);
      final byte[] handle = device.blockCopies().handle();
      System.out.println(HexFormat.of().formatHex(handle));
      for (int block : COMPUTED) System.out.println(checksum(device, block));
      if (System.in.read() >= 0) throw new IllegalStateException("expected an end");
    }
  }
}
