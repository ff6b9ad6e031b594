package dev.stator.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class StartSummaryTest {
  private static final URI LOCAL = URI.create("http://127.0.0.1:8080");

  @Test
  void shouldShowTheMemoryAsASum() {
    assertEquals(
        """
          model     fake: llama, 5.2 million parameters, gguf Q8_0
          file      models/fake.gguf
          context   2,048 tokens
          slot      prefill + decode: Vector API, 2 threads
          memory          5.4 MiB  weights, mapped
                    +    96.0 MiB  KV pool: 1024 blocks of 96.0 KiB
                    +     1.2 MiB  workspace
                    =   102.6 MiB
          address   http://127.0.0.1:8080

          curl -N http://127.0.0.1:8080/v1/chat/completions -H 'Content-Type: application/json' \
        -d '{"model":"fake","stream":true,"messages":[{"role":"user","content":"Tell me a story about a fox."}]}'

        """,
        StartSummary.format(FakeStarter.summaryAt(LOCAL, "fake")));
  }

  @Test
  void shouldNameTheSlotOfEachTermWhenThereAreSeveral() {
    final NodeSummary one = FakeStarter.summaryAt(LOCAL, "fake");
    final List<NodeSummary.Slot> slots = new ArrayList<>(one.slots());
    slots.addAll(one.slots());
    final String text =
        StartSummary.format(new NodeSummary(one.model(), slots, Optional.empty(), one.address()));
    assertTrue(text.contains("+     5.4 MiB  slot 2, weights, mapped"), text);
    assertTrue(text.contains("=   205.2 MiB"), text);
  }

  @Test
  void shouldPointTheCurlLineToThisMachineWhenAllAddressesAreBound() {
    assertTrue(curl("http://0.0.0.0:9000", "m").startsWith("curl -N http://127.0.0.1:9000/v1/"));
    assertTrue(curl("http://[::]:9000", "m").startsWith("curl -N http://[::1]:9000/v1/"));
    assertTrue(curl("http://10.1.2.3:9000", "m").startsWith("curl -N http://10.1.2.3:9000/v1/"));
  }

  @Test
  void shouldQuoteTheNameForJsonAndTheShell() {
    assertTrue(
        curl("http://h:1", "o'\"x").contains("-d '{\"model\":\"o'\\''\\\"x\","),
        curl("http://h:1", "o'\"x"));
  }

  @Test
  void shouldWriteQuantitiesAsPeopleDo() {
    assertEquals("999 B", Quantities.bytes(999));
    assertEquals("1.0 MiB", Quantities.bytes((1 << 20) - 1));
    assertEquals("1.2 GiB", Quantities.bytes(1_288_490_189L));
    assertEquals("9,999", Quantities.large(9_999));
    assertEquals("1.24 billion", Quantities.large(1_235_814_400));
    assertEquals(2L << 30, Quantities.parseBytes("--x", "2 GiB"));
    assertEquals(1536, Quantities.parseBytes("--x", "1536"));
  }

  @Test
  void shouldTellTheAgeOfAProcessWhateverItsName() {
    final String stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 0 0 0 3 1 0 0 20 0 1 0 12345 9 9";
    assertEquals(Duration.ofMillis(1550), ProcessAge.between(stat, "125.00 230.11"));
    assertTrue(ProcessAge.now().isPositive());
  }

  private static String curl(String address, String name) {
    return StartSummary.curl(URI.create(address), name);
  }
}
