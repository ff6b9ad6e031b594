package dev.stator.engine;

import dev.stator.device.Device;
import dev.stator.device.MemoryPlan;
import dev.stator.device.StepInput;
import dev.stator.device.StepOutput;
import dev.stator.kv.KvLayout;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Remembers what steps were asked of a device, and fails or answers nonsense when told to. */
final class RecordingDevice implements Device {
  private final Device device;
  final List<StepInput> inputs = new ArrayList<>();
  RuntimeException failure;
  RuntimeException logitsFailure;
  boolean answersNaN;
  int nanRow;

  RecordingDevice(Device device) {
    this.device = device;
  }

  /** Token counts of the last step's slices. */
  List<Integer> lastCounts() {
    return inputs.getLast().slices().stream().map(StepInput.Slice::tokenCount).toList();
  }

  @Override
  public StepOutput run(StepInput input) {
    inputs.add(input);
    final StepOutput output = device.run(input);
    if (failure != null) throw failure;
    return (sliceIndex, row) -> {
      if (logitsFailure != null) throw logitsFailure;
      final float[] logits = output.logits(sliceIndex, row);
      if (answersNaN && sliceIndex == 0 && row == nanRow) logits[1] = Float.NaN;
      return logits;
    };
  }

  @Override
  public String description() {
    return device.description();
  }

  @Override
  public String numericsFingerprint() {
    return device.numericsFingerprint();
  }

  @Override
  public KvLayout kvLayout() {
    return device.kvLayout();
  }

  @Override
  public int blockCount() {
    return device.blockCount();
  }

  @Override
  public int vocabularySize() {
    return device.vocabularySize();
  }

  @Override
  public int contextLength() {
    return device.contextLength();
  }

  @Override
  public MemorySegment block(int blockIndex) {
    return device.block(blockIndex);
  }

  @Override
  public MemoryPlan memoryPlan() {
    return device.memoryPlan();
  }

  @Override
  public void close() {
    device.close();
  }
}
