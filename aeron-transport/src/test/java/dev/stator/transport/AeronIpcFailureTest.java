package dev.stator.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class AeronIpcFailureTest extends AeronFailureContract {
  @Override
  String kind() {
    return "ipc";
  }

  @Test
  void shouldSweepWhatAKilledProcessLeft() throws Exception {
    final Path left;
    try (ReceiverProcess receiver = ReceiverProcess.start("ipc", "")) {
      left = Path.of(receiver.grant("ipc").agent().endpoints().get("ipc"));
      receiver.kill();
    }
    assertTrue(Files.isDirectory(left));
    final long killedNs = System.nanoTime();
    while (Files.exists(left) && System.nanoTime() - killedNs < 10_000_000_000L) {
      try (TransferSide next = new TransferSide("next", AeronTransports.ipc(), 1)) {
        assertEquals("next", next.agent.name());
      }
    }
    assertFalse(Files.exists(left));
  }
}
