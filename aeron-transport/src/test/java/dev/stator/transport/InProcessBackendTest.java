package dev.stator.transport;

/** The in-process copy keeps the contract, with a thread of its own. */
class InProcessBackendTest extends TransferBackendContract {
  @Override
  TransferBackend backend() {
    return InProcessBackend.create(SETTINGS);
  }
}
