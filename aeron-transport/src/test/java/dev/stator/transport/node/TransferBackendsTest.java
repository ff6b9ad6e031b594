package dev.stator.transport.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.stator.transport.SharedMemory;
import dev.stator.transport.TransferAgent;
import dev.stator.transport.TransferSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is configured is what is offered. */
class TransferBackendsTest {
  @TempDir Path folder;

  private Config config(String overrides) {
    return ConfigFactory.parseString(overrides)
        .withFallback(ConfigFactory.parseString("shared.folder = \"" + folder + "/shared\""))
        .withFallback(ConfigFactory.parseString("aeron.home = \"" + folder + "\""))
        .withFallback(ConfigFactory.load().getConfig("stator.transport"));
  }

  @Test
  void shouldOfferAllOfTheReferenceAndTakeTheFirst() {
    final Config config = config("");
    final TransferBackends backends = TransferBackends.start(config, System::nanoTime);
    final TransferAgent agent = agent(config, backends);
    assertEquals("in-process, device-ipc, shared, ipc, udp", backends.selector().name());
    assertEquals(
        Set.of("in-process", "device-ipc", "shared", "ipc", "udp"),
        agent.address().endpoints().keySet());
    assertEquals("in-process", backends.selector().route(agent.address()));
    agent.close();
    backends.close();
  }

  @Test
  void shouldKeepToTheOrderConfigured() {
    final Config config = config("backends = [shared, in-process]");
    final TransferBackends backends = TransferBackends.start(config, System::nanoTime);
    final TransferAgent agent = agent(config, backends);
    assertEquals("shared", backends.selector().route(agent.address()));
    assertEquals(Map.of("agent", "shared"), backends.selector().routes());
    try (SharedMemory memory = backends.allocateShared(4096).orElseThrow()) {
      assertEquals(4096, memory.segment().byteSize());
      assertTrue(memory.file().startsWith(folder));
    }
    assertTrue(backends.allocateShared(Long.MAX_VALUE).isEmpty(), "more than there is");
    agent.close();
    backends.close();
  }

  @Test
  void shouldLeaveOutWhatCannotStartHere() throws IOException {
    Files.createFile(folder.resolve("shared"));
    final Config config = config("backends = [shared, in-process]");
    final TransferBackends backends = TransferBackends.start(config, System::nanoTime);
    assertEquals("in-process", backends.selector().name());
    assertTrue(backends.allocateShared(4096).isEmpty());
    backends.close();
    assertThrows(
        IllegalArgumentException.class,
        () -> TransferBackends.start(config("backends = [shared]"), System::nanoTime));
  }

  @Test
  void shouldSayWhatCopies() {
    final Config config = config("backends = [in-process]\nkernels = java");
    try (TransferBackends backends = TransferBackends.start(config, System::nanoTime)) {
      assertEquals("Java", backends.copies());
    }
  }

  @Test
  void shouldRefuseNamesThatMakeNoSense() {
    for (String backends : new String[] {"[pigeon]", "[in-process, in-process]", "[]"}) {
      assertThrows(
          IllegalArgumentException.class,
          () -> TransferBackends.start(config("backends = " + backends), System::nanoTime));
    }
  }

  private static TransferAgent agent(Config config, TransferBackends backends) {
    return new TransferAgent(
        "agent",
        TransferSettings.from(config),
        backends.selector(),
        System::nanoTime,
        new Random(1));
  }
}
