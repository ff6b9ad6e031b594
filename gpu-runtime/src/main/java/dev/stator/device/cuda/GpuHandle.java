package dev.stator.device.cuda;

/** Something of a {@link GpuDriver} that is closed once, with its driver at the latest. */
abstract class GpuHandle implements AutoCloseable {
  final GpuDriver driver;
  private boolean isClosed;

  GpuHandle(GpuDriver driver) {
    this.driver = driver;
  }

  /** To be called when it has been made. */
  final void made() {
    driver.own(this);
  }

  /**
   * @throws CudaException when it is closed, or the calling thread is not attached
   */
  final void check() {
    checkOpen();
    driver.check();
  }

  /**
   * @throws CudaException when it is closed
   */
  final void checkOpen() {
    if (isClosed) throw new CudaException("used after it was closed: " + this);
  }

  abstract void release();

  @Override
  public final void close() {
    if (isClosed) return;
    driver.check();
    isClosed = true;
    driver.disown(this);
    release();
  }
}
