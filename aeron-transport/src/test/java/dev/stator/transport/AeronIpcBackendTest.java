package dev.stator.transport;

/** Aeron IPC keeps the contract, from one media driver to another. */
class AeronIpcBackendTest extends TransferBackendContract {
  @Override
  TransferBackend backend() {
    return new SplitBackend("writer", AeronTransports.ipc(), AeronTransports.ipc());
  }
}
