package dev.stator.transport;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The device that a registered memory's blocks lie in, as a backend lends it to other processes.
 *
 * <p><b>Threads:</b> any.
 */
public final class LentPool {
  private static final Logger LOG = LoggerFactory.getLogger(LentPool.class);

  private final byte[] handle;
  private final CloseListeners<Supplier<CompletableFuture<Void>>> listeners =
      new CloseListeners<>();

  private LentPool(byte[] handle) {
    this.handle = handle;
  }

  /** {@code null} when other processes cannot get at it. */
  static LentPool of(DevicePool pool) {
    final byte[] handle = pool.handle();
    if (handle == null) return null;
    if (handle.length > 0 && handle.length <= DevicePool.HANDLE_BYTES_MAX) {
      return new LentPool(handle.clone());
    }
    LOG.error("A device's handle of {} bytes is not lent", handle.length);
    return null;
  }

  /** As {@link DevicePool#handle}; not to be changed. */
  public byte[] handle() {
    return handle;
  }

  /**
   * Calls this when the memory is about to go; at once when it has gone.
   *
   * @param listener has other processes let it go; the memory stays until that has completed, so it
   *     must, whatever they do
   */
  public void onClose(Supplier<CompletableFuture<Void>> listener) {
    if (!listeners.add(listener)) listener.get();
  }

  /** Takes back {@link #onClose}; does nothing for who has not been listening. */
  public void removeOnClose(Supplier<CompletableFuture<Void>> listener) {
    listeners.remove(listener);
  }

  /** Returns when nobody uses it any more, or those who do have had their time. */
  void close() {
    final List<CompletableFuture<Void>> all =
        listeners.close().stream().map(Supplier::get).toList();
    CompletableFuture.allOf(all.toArray(CompletableFuture[]::new))
        .handle((done, late) -> null)
        .join();
  }
}
