package dev.stator.transport;

/** A block that nobody pulls. */
enum NoPull implements PulledBlock {
  UNREACHABLE;

  @Override
  public TransferStatus ended() {
    return TransferStatus.UNREACHABLE;
  }

  @Override
  public TransferStatus confirm() {
    return TransferStatus.UNREACHABLE;
  }

  @Override
  public void abandon() {}
}
