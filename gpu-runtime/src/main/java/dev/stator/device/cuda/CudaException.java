package dev.stator.device.cuda;

/** The CUDA driver's refusal; says which call and which code. */
public final class CudaException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public CudaException(String message) {
    super(message);
  }

  CudaException(String message, CudaException cause) {
    super(message, cause);
  }
}
