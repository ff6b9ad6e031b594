package dev.stator.cli.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ClusterPictureTest {
  private static final String VIEW =
      """
      {"self":"front-1","nodes":[
       {"name":"decode-1","roles":["decode"],"state":"serving","http":"http://h:1","last_word_ms":5,
        "slots":[
         {"name":"decode-1/0","roles":["decode"],"running":3,"waiting":1,
          "blocks":{"total":100,"used":21,"cached":40},
          "prefix_cache":{"queried_tokens":200,"hit_tokens":50},
          "send_seconds":0.5,"exposed_send_seconds":0.125},
         {"name":"decode-1/1","roles":[],"running":0,"waiting":0,
          "blocks":{"total":100,"used":0,"cached":0},
          "prefix_cache":{"queried_tokens":0,"hit_tokens":0}}],
        "sessions":{"active":0,"completed":0,"failed":0,"moves":0},
        "transfer":{"sent_bytes":2097152,"routes":{"prefill-1":"shared","front-1":"udp","gone-1":"none"}}},
       {"name":"front-1","roles":["frontend","router"],"state":"serving","http":"http://h:80",
        "slots":[],"last_word_ms":5,
        "sessions":{"active":4,"completed":1200,"failed":1,"moves":2},
        "transfer":{"sent_bytes":0,"routes":{}}},
       {"name":"prefill-1","roles":["prefill"],"state":"unreachable","http":null,"slots":[],
        "last_word_ms":7200,"sessions":{},"transfer":{}}],
       "models":[{"name":"t","context_length":2048,"nodes":["decode-1","prefill-1"]}],
       "routers":[{"model":"t","node":"front-1","workers":2,"pending":1,"in_flight":4,
        "indexed_blocks":9,"placed_local":1000,"placed_remote":500}],
       "planner":{"node":"front-1","decisions":[
        {"model":"t","at":"2026-01-01T00:00:00Z","decision":"hold"}]}}
      """;

  @Test
  void shouldDrawNodesSlotsAndQueues() throws IOException {
    assertEquals(picture(), ClusterPicture.draw(new ObjectMapper().readTree(VIEW)));
  }

  private static String picture() throws IOException {
    try (InputStream in = ClusterPictureTest.class.getResourceAsStream("picture.txt")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Test
  void shouldDrawAClusterThatKnowsNothingYet() throws JsonProcessingException {
    final String text =
        ClusterPicture.draw(
            new ObjectMapper()
                .readTree(
                    "{\"self\":\"a\",\"nodes\":[{\"name\":\"a\",\"state\":\"joining\"}],\"models\":[]}"));
    assertTrue(text.startsWith("NODE"), text);
    assertTrue(text.contains("\na "), text);
    assertFalse(text.contains("null"), text);
  }
}
