package dev.stator.testing;

import dev.stator.device.BlockCopies;
import dev.stator.device.Device;
import dev.stator.device.HostBlocks;
import dev.stator.device.KvMemory;
import dev.stator.device.MemoryPlan;
import dev.stator.device.StepInput;
import dev.stator.device.StepOutput;
import dev.stator.kv.KvLayout;
import java.lang.foreign.MemorySegment;

/** Another device by another name, but for what a subclass changes. */
public abstract class ForwardingDevice implements Device {
  private final Device device;

  protected ForwardingDevice(Device device) {
    this.device = device;
  }

  @Override
  public StepOutput run(StepInput input) {
    return device.run(input);
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
  public int embeddingSize() {
    return device.embeddingSize();
  }

  @Override
  public int stepTokensWanted() {
    return device.stepTokensWanted();
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
  public BlockCopies blockCopies() {
    return device.blockCopies();
  }

  @Override
  public HostBlocks hostBlocks() {
    return device.hostBlocks();
  }

  @Override
  public KvMemory kvMemory() {
    return device.kvMemory();
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
