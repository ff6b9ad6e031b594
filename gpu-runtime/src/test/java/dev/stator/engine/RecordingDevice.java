package dev.stator.engine;

import dev.stator.device.Device;
import dev.stator.device.StepInput;
import dev.stator.device.StepOutput;
import dev.stator.testing.ForwardingDevice;
import java.util.ArrayList;
import java.util.List;

/** Remembers what steps were asked of a device, and fails or answers nonsense when told to. */
final class RecordingDevice extends ForwardingDevice {
  final List<StepInput> inputs = new ArrayList<>();
  RuntimeException failure;
  RuntimeException logitsFailure;
  boolean answersNaN;
  int nanRow;

  RecordingDevice(Device device) {
    super(device);
  }

  /** Token counts of the last step's slices. */
  List<Integer> lastCounts() {
    return inputs.getLast().slices().stream().map(StepInput.Slice::tokenCount).toList();
  }

  @Override
  public StepOutput run(StepInput input) {
    inputs.add(input);
    final StepOutput output = super.run(input);
    if (failure != null) throw failure;
    return (sliceIndex, row) -> {
      if (logitsFailure != null) throw logitsFailure;
      final float[] logits = output.logits(sliceIndex, row);
      if (answersNaN && sliceIndex == 0 && row == nanRow) logits[1] = Float.NaN;
      return logits;
    };
  }
}
