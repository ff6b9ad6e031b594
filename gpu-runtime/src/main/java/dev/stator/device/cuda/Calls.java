package dev.stator.device.cuda;

import jcuda.driver.CUresult;

/** Checks what calls of the CUDA driver return. */
final class Calls {
  private Calls() {}

  /**
   * @param call for the error
   * @throws CudaException unless {@code code} is that of success
   */
  static void check(String call, int code) {
    if (code != CUresult.CUDA_SUCCESS) throw refused(call, code);
  }

  static CudaException refused(String call, int code) {
    return new CudaException(call + ": " + CUresult.stringFor(code) + " (" + code + ")");
  }
}
