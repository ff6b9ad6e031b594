package dev.stator.device.cuda;

import com.typesafe.config.ConfigFactory;
import dev.stator.device.Device;
import dev.stator.model.LoadedModel;
import dev.stator.model.WeightType;
import dev.stator.testing.RandomModels;
import dev.stator.testing.Sequences;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What {@link StubbedCudaTest} runs in JVMs that find {@code stub_driver.c}, or no driver. */
final class StubbedCuda {
  private static final int PROMPT_LENGTH = 21;
  private static final int ANSWER_LENGTH = 6;
  private static final String SETTINGS =
      "stator.device.cuda { block-count = 16, step-tokens-max = 32, attention-bytes = 64 KiB,"
          + " staging-bytes = 1 MiB, context-length = 0 }";

  private StubbedCuda() {}

  private static final class OnStub extends DriverTest {
    @Override
    Driver open() {
      return Cuda.open(0);
    }

    @Override
    Driver openPeer() {
      return Cuda.open(1);
    }
  }

  /**
   * @param args in turn; {@code list}: prints what is found; {@code test}: runs {@link DriverTest};
   *     {@code model}: computes an answer; {@code parallel}: on two GPUs together; {@code lend}:
   *     prints a handle of some memory, and keeps it until the input ends; a handle: opens that and
   *     prints what is there; a number: opens the GPU of that number, and uses it
   */
  public static void main(String[] args) throws ReflectiveOperationException, IOException {
    for (String arg : args) {
      switch (arg) {
        case "list" -> list();
        case "test" -> test();
        case "model" -> System.out.println(answer(List.of(Cuda.open(0))));
        case "parallel" -> System.out.println(answer(List.of(Cuda.open(0), Cuda.open(1))));
        case "lend" -> lend();
        default -> {
          if (arg.length() < 2 * Driver.IPC_HANDLE_BYTES) use(Integer.parseInt(arg));
          else borrow(HexFormat.of().parseHex(arg));
        }
      }
    }
  }

  private static void list() {
    Cuda.find().obstacle().ifPresent(obstacle -> System.out.println("none: " + obstacle));
    Cuda.find().gpus().forEach(System.out::println);
  }

  private static void test() throws ReflectiveOperationException {
    final Method[] methods = DriverTest.class.getDeclaredMethods();
    Arrays.sort(methods, Comparator.comparing(Method::getName));
    for (Method method : methods) {
      if (!method.isAnnotationPresent(Test.class)) continue;
      final DriverTest test = new OnStub();
      test.start();
      try {
        method.invoke(test);
        System.out.println(method.getName() + " ok");
      } catch (InvocationTargetException e) {
        System.out.println(method.getName() + " " + e.getCause());
      } finally {
        test.end();
      }
    }
  }

  /**
   * What a random model answers, on one GPU decoded by graphs, and a hash of the last logits' bits.
   */
  static String answer(List<Driver> drivers) {
    final CudaDeviceSettings settings =
        CudaDeviceSettings.from(
            ConfigFactory.parseString(SETTINGS).withFallback(ConfigFactory.defaultReference()));
    try (LoadedModel model =
            RandomModels.of(RandomModels.LLAMA, 31, WeightType.Q8_0, WeightType.BF16);
        Device device = CudaDevices.of(model, settings, drivers)) {
      final int[] prompt = new Random(3).ints(PROMPT_LENGTH, 0, device.vocabularySize()).toArray();
      final int[] answer = Sequences.greedy(device, prompt, ANSWER_LENGTH, -1);
      final float[] logits =
          Sequences.prefill(device, prompt, Sequences.blocks(8, PROMPT_LENGTH), 9);
      return Arrays.toString(answer) + " " + Arrays.hashCode(logits);
    }
  }

  private static void lend() throws IOException {
    try (Driver driver = Cuda.open(0);
        Driver.Stream stream = driver.newStream()) {
      driver.allocate(64);
      final long memory = driver.allocate(64);
      stream.fill(memory, (byte) 42, 64);
      stream.synchronize();
      System.out.println(HexFormat.of().formatHex(driver.ipcHandle(memory + 1)));
      if (System.in.read() >= 0) throw new IllegalStateException("expected an end");
      driver.free(memory);
    }
  }

  private static void borrow(byte[] handle) {
    try (Driver driver = Cuda.open(0);
        Driver.Stream stream = driver.newStream()) {
      final long memory = driver.allocate(64);
      final MemorySegment host = driver.allocateHost(64);
      final long start = driver.ipcOpen(handle);
      stream.copy(memory, start, driver.allocationOf(start + 1).bytes());
      stream.copyToHost(host, memory);
      stream.synchronize();
      System.out.println(host.get(ValueLayout.JAVA_BYTE, 63) + " was lent");
      if (driver.allocationOf(start).start() != start) throw new AssertionError("no allocation");
      driver.ipcClose(start);
      driver.ipcOpen(handle); // The driver closes it.
    } catch (CudaException e) {
      System.out.println(e.getMessage());
    }
  }

  private static void use(int index) {
    try (Arena arena = Arena.ofConfined();
        Driver driver = Cuda.open(index);
        Driver.Stream stream = driver.newStream();
        Driver.Event event = stream.newEvent()) {
      final long memory = driver.allocate(64);
      final MemorySegment host = driver.allocateHost(64);
      stream.fill(memory, (byte) 0, 64);
      stream.copyToHost(host, memory);
      stream.copyToDevice(memory, host);
      final MemorySegment params =
          new KernelParams(arena).address(memory).address(memory).int32(16).struct();
      final Driver.Kernel add = driver.kernel("add_f32");
      stream.capture(() -> stream.launch(add, 1, 1, 16, 0, params)).close();
      stream.record(event);
      stream.await(event);
      stream.synchronize();
      System.out.println(driver.title() + " works");
    } catch (CudaException e) {
      System.out.println(e.getMessage());
    }
  }
}
