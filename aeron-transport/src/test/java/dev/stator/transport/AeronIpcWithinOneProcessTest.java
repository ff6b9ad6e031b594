package dev.stator.transport;

/** Aeron IPC keeps the contract where both agents use the same media driver. */
class AeronIpcWithinOneProcessTest extends TransferBackendContract {
  @Override
  TransferBackend backend() {
    return AeronTransports.ipc();
  }
}
