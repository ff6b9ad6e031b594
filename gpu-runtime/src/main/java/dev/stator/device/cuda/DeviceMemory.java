package dev.stator.device.cuda;

import dev.stator.device.MemoryPlan;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Device memory as a sum of named terms, taken once. <b>Ownership:</b> of all that it took, until
 * {@link #close}. <b>Threads:</b> the driver's.
 */
final class DeviceMemory implements AutoCloseable {
  private final Driver driver;
  private final Map<String, Long> terms = new LinkedHashMap<>();
  private final List<Long> addresses = new ArrayList<>();

  DeviceMemory(Driver driver) {
    this.driver = driver;
  }

  /**
   * @param what for the user; equal ones are one term
   * @throws OutOfMemoryError when there is none; says for what, and what was taken before
   */
  long take(String what, long bytes) {
    final long address;
    try {
      address = driver.allocate(bytes);
    } catch (OutOfMemoryError full) {
      final var error =
          new OutOfMemoryError(
              what + ": " + bytes + " bytes of device memory are not to be had, beside " + terms);
      error.initCause(full);
      throw error;
    }
    addresses.add(address);
    terms.merge(what, bytes, Long::sum);
    return address;
  }

  /** Of the terms with that name. */
  long bytesOf(String what) {
    return terms.getOrDefault(what, 0L);
  }

  MemoryPlan plan() {
    return new MemoryPlan(
        terms.entrySet().stream()
            .map(term -> new MemoryPlan.Term(term.getKey(), term.getValue()))
            .toList());
  }

  @Override
  public void close() {
    addresses.forEach(driver::free);
    addresses.clear();
  }
}
