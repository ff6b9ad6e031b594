package dev.stator.cluster;

import dev.stator.device.Device;
import dev.stator.device.StepInput;
import dev.stator.device.StepOutput;
import dev.stator.testing.ForwardingDevice;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A device that runs a step when it may, and fails when it is told to. */
final class ControlledDevice extends ForwardingDevice {
  /** Shared by all devices of a test; any thread. */
  static final class Control {
    private final Semaphore permits = new Semaphore(0);
    private final AtomicInteger failures = new AtomicInteger();
    private final AtomicInteger opened = new AtomicInteger();
    private final AtomicInteger closed = new AtomicInteger();

    void allow(int steps) {
      permits.release(steps);
    }

    void allowAll() {
      permits.release(1 << 28);
    }

    /** Steps that were allowed and not taken are not allowed any more. */
    void takeBack() {
      permits.drainPermits();
    }

    void fail(int steps) {
      failures.set(steps);
    }

    int opened() {
      return opened.get();
    }

    int closed() {
      return closed.get();
    }

    private void beforeStep() {
      try {
        if (!permits.tryAcquire(20, TimeUnit.SECONDS)) {
          throw new IllegalStateException("the test allows no step");
        }
      } catch (InterruptedException stopped) {
        throw new IllegalStateException(stopped);
      }
      if (failures.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
        throw new IllegalStateException("the device fails, as told");
      }
    }
  }

  private final Control control;

  ControlledDevice(Device device, Control control) {
    super(device);
    this.control = control;
    control.opened.incrementAndGet();
  }

  @Override
  public StepOutput run(StepInput input) {
    control.beforeStep();
    return super.run(input);
  }

  @Override
  public void close() {
    control.closed.incrementAndGet();
    super.close();
  }
}
