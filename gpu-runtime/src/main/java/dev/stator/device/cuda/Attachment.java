package dev.stator.device.cuda;

/**
 * Which thread uses a driver: one at a time, and a thread uses one driver at a time, since a thread
 * has one current CUDA context.
 */
final class Attachment {
  private static final ThreadLocal<Attachment> CURRENT = new ThreadLocal<>();

  private volatile Thread owner;
  private volatile boolean isEnded;

  /** The calling thread is the one from now on. */
  void take() {
    if (isEnded) throw closed();
    owner = Thread.currentThread();
    CURRENT.set(this);
  }

  /**
   * @throws CudaException when the calling thread is not the one
   */
  void check() {
    if (owner == Thread.currentThread() && CURRENT.get() == this) return;
    if (isEnded) throw closed();
    throw new CudaException(
        "thread " + Thread.currentThread().getName() + " is not attached to this driver");
  }

  /** No thread from now on. */
  void end() {
    isEnded = true;
    owner = null;
    if (CURRENT.get() == this) CURRENT.remove();
  }

  private static CudaException closed() {
    return new CudaException("the driver is closed");
  }
}
