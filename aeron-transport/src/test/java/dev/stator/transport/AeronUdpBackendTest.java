package dev.stator.transport;

/** Aeron UDP keeps the contract, from one media driver to another. */
class AeronUdpBackendTest extends TransferBackendContract {
  @Override
  TransferBackend backend() {
    return new SplitBackend("writer", AeronTransports.udp(), AeronTransports.udp());
  }
}
