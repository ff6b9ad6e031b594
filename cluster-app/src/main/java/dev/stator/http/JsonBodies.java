package dev.stator.http;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.regex.Pattern;
import org.apache.pekko.util.ByteString;

/** JSON in and out. Any thread may use it. */
final class JsonBodies {
  /** Writes one JSON value. */
  interface Body {
    void write(JsonGenerator json) throws IOException;
  }

  private static final JsonFactory FACTORY = new JsonFactory();

  /** What Jackson says of its own classes in a message for its own users. */
  private static final Pattern JACKSON_ASIDE =
      Pattern.compile("(?s)( \\(bound as|: not allowed| for `|: enable `| \\(start marker|\\n).*");

  private final ObjectMapper mapper;

  JsonBodies(int bodyBytesMax, RequestLimits limits) {
    StreamReadConstraints constraints =
        StreamReadConstraints.builder()
            .maxDocumentLength(bodyBytesMax)
            .maxStringLength(bodyBytesMax)
            .maxNestingDepth(limits.jsonDepthMax())
            .maxNumberLength(limits.jsonNumberCharactersMax())
            .maxNameLength(limits.jsonNameCharactersMax())
            .build();
    JsonFactory factory = JsonFactory.builder().streamReadConstraints(constraints).build();
    this.mapper =
        JsonMapper.builder(factory)
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();
  }

  /**
   * The body as an object.
   *
   * @throws ApiException when it is not one, with the place of the first fault
   */
  ObjectNode parse(byte[] body) {
    return object(read(body, null));
  }

  /**
   * An object that came as a string inside a body, such as a tool call's arguments.
   *
   * @param param where the string stood
   */
  ObjectNode parse(String text, String param) {
    JsonNode node = read(text, param);
    if (node instanceof ObjectNode object) return object;
    throw new ApiException(ApiError.wrongType(param, "a JSON object in a string", node));
  }

  static ByteString write(Body body) {
    ByteArrayBuilder bytes = new ByteArrayBuilder();
    append(bytes, body);
    return ByteString.fromArrayUnsafe(bytes.toByteArray());
  }

  static void append(ByteArrayBuilder bytes, Body body) {
    try (JsonGenerator json = FACTORY.createGenerator(bytes)) {
      body.write(json);
    } catch (IOException impossible) { // The target is memory.
      throw new UncheckedIOException(impossible);
    }
  }

  private JsonNode read(Object content, String param) {
    try {
      return content instanceof byte[] bytes
          ? mapper.readTree(bytes)
          : mapper.readTree((String) content);
    } catch (JacksonException fault) {
      throw new ApiException(malformed(fault, param));
    } catch (IOException fault) { // Bytes that are not text.
      throw new ApiException(
          ApiError.invalid(
              "invalid_json", param, "The body is not JSON: " + fault.getMessage() + "."));
    }
  }

  private static ObjectNode object(JsonNode node) {
    if (node instanceof ObjectNode object) return object;
    String found = node.isMissingNode() ? "empty" : "not an object";
    throw new ApiException(
        ApiError.invalid(
            "invalid_json", null, "The body must be a JSON object, but is " + found + "."));
  }

  private static ApiError malformed(JacksonException fault, String param) {
    String reason = JACKSON_ASIDE.matcher(fault.getOriginalMessage()).replaceFirst("");
    JsonLocation place = fault.getLocation();
    String where =
        place == null
            ? ""
            : " at line %d, column %d".formatted(place.getLineNr(), place.getColumnNr());
    String what = param == null ? "The body" : "'" + param + "'";
    return ApiError.invalid(
        "invalid_json", param, what + " is not JSON" + where + ": " + reason + ".");
  }
}
