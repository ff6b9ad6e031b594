package dev.stator.transport;

import java.util.Random;

/** Without faults, the faulty backend is a correct one. */
class FaultyBackendTest extends TransferBackendContract {
  @Override
  TransferBackend backend() {
    return new FaultyBackend(FaultyBackend.Faults.NONE, new Random(1));
  }
}
