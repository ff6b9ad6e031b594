package dev.stator.device.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * The driver's calls that share device memory between processes. They go past JCuda, whose handles
 * hide their bytes, in the context that JCuda has made current. A driver that lacks one of them
 * serves without.
 *
 * <p><b>Threads:</b> any that has a current context.
 */
final class IpcCalls {
  private static final int LAZY_ENABLE_PEER_ACCESS = 1;

  // CUipcMemHandle, which goes by value.
  private static final StructLayout HANDLE =
      MemoryLayout.structLayout(MemoryLayout.sequenceLayout(Driver.IPC_HANDLE_BYTES, JAVA_BYTE));

  // A CUdeviceptr is a number of 8 bytes.
  private static final Map<String, FunctionDescriptor> FORMS =
      Map.of(
          "cuIpcCloseMemHandle", FunctionDescriptor.of(JAVA_INT, JAVA_LONG),
          "cuIpcGetMemHandle", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG),
          "cuIpcOpenMemHandle_v2", FunctionDescriptor.of(JAVA_INT, ADDRESS, HANDLE, JAVA_INT),
          "cuMemGetAddressRange_v2", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG));

  /** What this class calls. */
  static final Set<String> FUNCTIONS = FORMS.keySet();

  private IpcCalls() {}

  /** Looked for when they are first called. */
  private static final class Library {
    private static final Map<String, MethodHandle> CALLS = find();

    @SuppressWarnings("restricted")
    private static Map<String, MethodHandle> find() {
      final Map<String, MethodHandle> calls = new HashMap<>();
      FORMS.forEach((name, form) ->
          DriverLibrary.find(name)
              .map(address -> Linker.nativeLinker().downcallHandle(address, form))
              .ifPresent(call -> calls.put(name, call)));
      return calls;
    }
  }

  /** Its code, as the driver gives it. */
  private interface Invocation {
    int invoke(MethodHandle call) throws Throwable;
  }

  private static void call(String name, Invocation invocation) {
    final MethodHandle call = Library.CALLS.get(name);
    if (call == null) throw new CudaException("the CUDA driver has no " + name);
    final int code;
    try {
      code = invocation.invoke(call);
    } catch (Throwable impossible) { // The driver throws nothing.
      throw new IllegalStateException(name, impossible);
    }
    Calls.check(name, code);
  }

  static Driver.Allocation addressRange(long address) {
    try (Arena arena = Arena.ofConfined()) {
      final MemorySegment start = arena.allocate(JAVA_LONG);
      final MemorySegment bytes = arena.allocate(JAVA_LONG);
      call("cuMemGetAddressRange_v2", range -> (int) range.invokeExact(start, bytes, address));
      return new Driver.Allocation(start.get(JAVA_LONG, 0), bytes.get(JAVA_LONG, 0));
    }
  }

  static byte[] handle(long start) {
    try (Arena arena = Arena.ofConfined()) {
      final MemorySegment handle = arena.allocate(HANDLE);
      call("cuIpcGetMemHandle", get -> (int) get.invokeExact(handle, start));
      return handle.toArray(JAVA_BYTE);
    }
  }

  static long open(byte[] bytes) {
    if (bytes.length != Driver.IPC_HANDLE_BYTES) {
      throw new CudaException("a handle of " + bytes.length + " bytes");
    }
    try (Arena arena = Arena.ofConfined()) {
      final MemorySegment start = arena.allocate(JAVA_LONG);
      final MemorySegment handle = arena.allocate(HANDLE).copyFrom(MemorySegment.ofArray(bytes));
      call(
          "cuIpcOpenMemHandle_v2",
          open -> (int) open.invokeExact(start, handle, LAZY_ENABLE_PEER_ACCESS));
      return start.get(JAVA_LONG, 0);
    }
  }

  static void close(long start) {
    call("cuIpcCloseMemHandle", close -> (int) close.invokeExact(start));
  }
}
