package dev.stator.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.http.HttpResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ChatTest {
  private static final TestServer SERVER = TestServer.start();
  private static final String CHAT = "/v1/chat/completions";
  private static final String ID = "chatcmpl-" + "0".repeat(24);

  @AfterAll
  static void stop() {
    SERVER.close();
  }

  @BeforeEach
  void answerHelloWorld() {
    SERVER.generations.answer("Hello", " world");
  }

  @Test
  void shouldStreamChunksByteForByte() {
    HttpResponse<String> response =
        SERVER.post(
            CHAT,
            """
            {"model":"tiny","stream":true,"messages":[{"role":"user","content":"Hi"}]}\
            """);
    assertEquals(200, response.statusCode());
    assertEquals("text/event-stream", response.headers().firstValue("Content-Type").orElseThrow());
    assertTrue(response.headers().firstValue("Cache-Control").orElseThrow().startsWith("no-cache"));
    String head =
        "data: {\"id\":\""
            + ID
            + "\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,"
            + "\"model\":\"tiny\",\"choices\":[{\"index\":0,\"delta\":";
    assertEquals(
        head
            + "{\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n"
            + head
            + "{\"content\":\"Hello\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n"
            + head
            + "{\"content\":\" world\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n"
            + head
            + "{},\"logprobs\":null,\"finish_reason\":\"stop\"}]}\n\n"
            + "data: [DONE]\n\n",
        response.body());
  }
}
