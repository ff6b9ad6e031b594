package dev.stator.cli.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;

class ClusterPictureTest {
  private static final String VIEW =
      """
      {"self":"frontend-1","nodes":[
       {"name":"decode-1","roles":["decode"],"state":"serving","http":"http://h:1","last_word_ms":5,
        "slots":[
         {"name":"decode-1/0","roles":["decode"],"running":3,"waiting":1,
          "blocks":{"total":100,"used":21,"cached":40},
          "prefix_cache":{"queried_tokens":200,"hit_tokens":50}},
         {"name":"decode-1/1","roles":[],"running":0,"waiting":0,
          "blocks":{"total":100,"used":0,"cached":0},
          "prefix_cache":{"queried_tokens":0,"hit_tokens":0}}],
        "sessions":{"active":0,"completed":0,"failed":0,"moves":0},
        "transfer":{"sent_bytes":2097152,"routes":{"prefill-1":"shared","prefill-2":"udp"}}},
       {"name":"frontend-1","roles":["frontend","router"],"state":"serving","http":"http://h:8080",
        "slots":[],"last_word_ms":5,
        "sessions":{"active":4,"completed":1200,"failed":1,"moves":2},
        "transfer":{"sent_bytes":0,"routes":{}}},
       {"name":"prefill-1","roles":["prefill"],"state":"unreachable","http":null,"slots":[],
        "last_word_ms":7200,"sessions":{},"transfer":{}}],
       "models":[{"name":"tiny","context_length":2048,"nodes":["decode-1","prefill-1"]}],
       "routers":[{"model":"tiny","node":"frontend-1","workers":2,"pending":1,"in_flight":4,
        "indexed_blocks":1234,"placed_local":1000,"placed_remote":500}],
       "planner":{"node":"frontend-1","decisions":[
        {"model":"tiny","at":"2026-01-01T00:00:00Z","decision":"hold"}]}}
      """;

  @Test
  void shouldDrawNodesSlotsAndQueues() throws JsonProcessingException {
    assertEquals(
        """
        NODE        ROLES            STATE            SLOT        PHASE     RUN  WAIT  BLOCKS used, cached  HIT  HTTP
        decode-1    decode           serving          decode-1/0  decode      3     1  [###++++...] 61/100  25%  http://h:1
                                                      decode-1/1  draining    0     0  [..........] 0/100     -
        frontend-1  frontend+router  serving                                                                     http://h:8080
        prefill-1   prefill          unreachable 7 s

          model     tiny: 2,048 tokens, on decode-1, prefill-1
          router    tiny at frontend-1: 2 workers, 4 in flight, 1 waiting; placed 1,500, 500 with remote prefill; 1,234 blocks indexed
          sessions  4 active, 1,200 completed, 1 failed, 2 moved to another worker
          transfer  decode-1 sent 2.0 MiB to prefill-1 by shared; prefill-2 by udp
          planner   2026-01-01T00:00:00Z tiny: hold

          as frontend-1 sees it
        """,
        ClusterPicture.draw(new ObjectMapper().readTree(VIEW)));
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
