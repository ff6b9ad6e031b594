package dev.stator.transport;

/** Aeron UDP keeps the contract where both agents use the same media driver. */
class AeronUdpWithinOneProcessTest extends TransferBackendContract {
  @Override
  TransferBackend backend() {
    return AeronTransports.udp();
  }
}
