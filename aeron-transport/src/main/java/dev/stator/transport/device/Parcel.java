package dev.stator.transport.device;

import dev.stator.transport.BlockPull;
import dev.stator.transport.BlockWrite;
import dev.stator.transport.Grant;
import dev.stator.transport.LentPool;
import dev.stator.transport.TransferStatus;
import dev.stator.transport.local.Outbox;

/**
 * A block to be pulled by another process.
 *
 * @param pool that it lies in
 */
record Parcel(BlockWrite write, LentPool pool) implements Outbox.Item {
  @Override
  public String agent() {
    return write.grant().agent().agent();
  }

  @Override
  public long bytes() {
    return write.grant().geometry().blockBytes();
  }

  @Override
  public boolean isDropped() {
    return write.hasEnded();
  }

  @Override
  public void end(TransferStatus status) {
    write.complete(status);
  }

  DeviceFrames.Post post(long sequence, int poolId) {
    final Grant grant = write.grant();
    return new DeviceFrames.Post(
        sequence,
        poolId,
        new BlockPull(
            grant.id(),
            grant.keyHigh(),
            grant.keyLow(),
            write.targetBlock(),
            write.sourceBlock(),
            bytes()));
  }
}
