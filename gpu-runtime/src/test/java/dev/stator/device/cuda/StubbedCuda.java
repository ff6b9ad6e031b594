package dev.stator.device.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Comparator;
import org.junit.jupiter.api.Test;

/** What {@link StubbedCudaTest} runs in JVMs that find {@code stub_driver.c}, or no driver. */
final class StubbedCuda {
  private StubbedCuda() {}

  private static final class OnStub extends DriverTest {
    @Override
    Driver open() {
      return Cuda.open(0);
    }
  }

  /**
   * @param args in turn; {@code list}: prints what is found; {@code test}: runs {@link DriverTest};
   *     a number: opens the GPU of that number, and uses it
   */
  public static void main(String[] args) throws ReflectiveOperationException {
    for (String arg : args) {
      switch (arg) {
        case "list" -> list();
        case "test" -> test();
        default -> use(Integer.parseInt(arg));
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
