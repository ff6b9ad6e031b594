package dev.stator.device.cuda;

import java.lang.foreign.MemorySegment;
import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;

/** JCuda's pointers from and to plain addresses. */
final class Addresses {
  private Addresses() {}

  /** Where a call writes the address of new device memory. */
  static final class NewDeviceAddress extends CUdeviceptr {
    long value() {
      return getNativePointer();
    }
  }

  /** Of host memory. */
  static final class HostAddress extends Pointer {
    /** Where a call writes the address of new memory. */
    HostAddress() {}

    private HostAddress(long address) {
      super(address);
    }

    long value() {
      return getNativePointer();
    }
  }

  static CUdeviceptr device(long address) {
    return new CUdeviceptr().withByteOffset(address);
  }

  /**
   * @throws CudaException when the memory lies on the heap or is freed
   */
  static HostAddress host(MemorySegment memory) {
    if (!memory.isNative()) throw new CudaException("copies need memory off the Java heap");
    if (!memory.scope().isAlive()) throw new CudaException("a copy's host memory is freed");
    return new HostAddress(memory.address());
  }
}
