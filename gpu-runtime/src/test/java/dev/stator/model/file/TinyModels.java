package dev.stator.model.file;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** Whole models of some thousand weights in either format, to be opened, changed and broken. */
final class TinyModels {
  static final int HIDDEN = 32;
  static final int INTERMEDIATE = 64;
  static final int HEADS = 4;
  static final int KEY_VALUE_HEADS = 2;
  static final int HEAD = 8;
  static final int LAYERS = 2;
  static final int CONTEXT = 64;
  static final int END_TOKEN = 258;
  static final List<String> TOKENS = tokens();
  static final String TEMPLATE = "{% for m in messages %}{{ m.content }}{% endfor %}";

  private TinyModels() {}

  /** What a family's layers have beyond Llama's. */
  private static boolean hasBias(String architecture) {
    return architecture.equals("qwen2");
  }

  private static boolean hasHeadNorm(String architecture) {
    return architecture.equals("qwen3");
  }

  /** A GGUF file in Q8_0 with tied embeddings. */
  static GgufWriter gguf(String architecture) {
    final GgufWriter writer =
        new GgufWriter()
            .put("general.architecture", architecture)
            .put(architecture + ".block_count", LAYERS)
            .put(architecture + ".context_length", CONTEXT)
            .put(architecture + ".embedding_length", HIDDEN)
            .put(architecture + ".feed_forward_length", INTERMEDIATE)
            .put(architecture + ".attention.head_count", HEADS)
            .put(architecture + ".attention.head_count_kv", KEY_VALUE_HEADS)
            .put(architecture + ".attention.key_length", HEAD)
            .put(architecture + ".attention.layer_norm_rms_epsilon", 1e-5f)
            .put(architecture + ".rope.freq_base", 10_000f)
            .put("tokenizer.ggml.model", "gpt2")
            .put("tokenizer.ggml.pre", "qwen2")
            .put("tokenizer.ggml.tokens", TOKENS)
            .put("tokenizer.ggml.token_type", tokenTypes())
            .put("tokenizer.ggml.merges", List.of("t h"))
            .put("tokenizer.ggml.eos_token_id", END_TOKEN)
            .put("tokenizer.chat_template", TEMPLATE);
    shapes(architecture, TensorNames.GGUF).forEach((name, shape) -> putGguf(writer, name, shape));
    return writer;
  }

  static GgufWriter putGguf(GgufWriter writer, String name, int... shape) {
    if (shape.length == 1) {
      return writer.tensor(name, GgmlType.F32, new long[] {shape[0]}, floats(name, shape[0]));
    }
    final byte[] data = blocks(name, shape[0] * shape[1] / 32);
    return writer.tensor(name, GgmlType.Q8_0, new long[] {shape[1], shape[0]}, data);
  }

  /** Writes a Hugging Face folder in BF16 with tied embeddings. */
  static void writeHuggingFace(Path folder, String architecture) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("config.json"), config(architecture).toString());
    Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\": [258, 256]}");
    Files.writeString(folder.resolve("tokenizer.json"), tokenizer().toString());
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        JsonNodeFactory.instance
            .objectNode()
            .put("eos_token", "<|im_end|>")
            .put("chat_template", TEMPLATE)
            .toString());
    Files.write(folder.resolve("model.safetensors"), safetensors(architecture).bytes());
  }

  static ObjectNode config(String architecture) {
    return JsonNodeFactory.instance
        .objectNode()
        .put("model_type", architecture)
        .put("hidden_size", HIDDEN)
        .put("intermediate_size", INTERMEDIATE)
        .put("num_hidden_layers", LAYERS)
        .put("num_attention_heads", HEADS)
        .put("num_key_value_heads", KEY_VALUE_HEADS)
        .put("head_dim", HEAD)
        .put("vocab_size", TOKENS.size())
        .put("max_position_embeddings", CONTEXT)
        .put("rms_norm_eps", 1e-5)
        .put("rope_theta", 10_000)
        .put("hidden_act", "silu")
        .put("tie_word_embeddings", true);
  }

  static SafetensorsWriter safetensors(String architecture) {
    final SafetensorsWriter writer = new SafetensorsWriter();
    shapes(architecture, TensorNames.HUGGING_FACE)
        .forEach((name, shape) -> putBf16(writer, name, shape));
    return writer;
  }

  static SafetensorsWriter putBf16(SafetensorsWriter writer, String name, int... shape) {
    final long[] dimensions = new long[shape.length];
    int count = 1;
    for (int i = 0; i < shape.length; i++) {
      dimensions[i] = shape[i];
      count *= shape[i];
    }
    final byte[] single = floats(name, count);
    final byte[] upper = new byte[2 * count];
    for (int i = 0; i < count; i++) System.arraycopy(single, 4 * i + 2, upper, 2 * i, 2);
    return writer.tensor(name, "BF16", dimensions, upper);
  }

  static Map<String, int[]> shapes(String architecture, TensorNames names) {
    final Map<String, int[]> shapes = new LinkedHashMap<>();
    shapes.put(names.tokenEmbedding(), new int[] {TOKENS.size(), HIDDEN});
    for (int i = 0; i < LAYERS; i++) {
      shapes.put(names.weight(i, names.attentionNorm()), new int[] {HIDDEN});
      shapes.put(names.weight(i, names.query()), new int[] {HEADS * HEAD, HIDDEN});
      shapes.put(names.weight(i, names.key()), new int[] {KEY_VALUE_HEADS * HEAD, HIDDEN});
      shapes.put(names.weight(i, names.value()), new int[] {KEY_VALUE_HEADS * HEAD, HIDDEN});
      shapes.put(names.weight(i, names.attentionOutput()), new int[] {HIDDEN, HEADS * HEAD});
      if (hasBias(architecture)) {
        shapes.put(names.bias(i, names.query()), new int[] {HEADS * HEAD});
        shapes.put(names.bias(i, names.key()), new int[] {KEY_VALUE_HEADS * HEAD});
        shapes.put(names.bias(i, names.value()), new int[] {KEY_VALUE_HEADS * HEAD});
      }
      if (hasHeadNorm(architecture)) {
        shapes.put(names.weight(i, names.queryNorm()), new int[] {HEAD});
        shapes.put(names.weight(i, names.keyNorm()), new int[] {HEAD});
      }
      shapes.put(names.weight(i, names.feedForwardNorm()), new int[] {HIDDEN});
      shapes.put(names.weight(i, names.gate()), new int[] {INTERMEDIATE, HIDDEN});
      shapes.put(names.weight(i, names.up()), new int[] {INTERMEDIATE, HIDDEN});
      shapes.put(names.weight(i, names.down()), new int[] {HIDDEN, INTERMEDIATE});
    }
    shapes.put(names.outputNorm(), new int[] {HIDDEN});
    return shapes;
  }

  /** 256 bytes in GPT-2's writing, one merged token, two control tokens. */
  private static List<String> tokens() {
    final List<String> tokens = new ArrayList<>();
    int stand = 256;
    for (int b = 0; b < 256; b++) {
      final boolean isPrintable = b >= '!' && b <= '~' || b >= 161 && b <= 172 || b >= 174;
      tokens.add(Character.toString(isPrintable ? b : stand));
      if (!isPrintable) stand++;
    }
    tokens.add("<|endoftext|>");
    tokens.add("th");
    tokens.add("<|im_end|>");
    return List.copyOf(tokens);
  }

  private static boolean isControl(String token) {
    return token.startsWith("<|");
  }

  private static int[] tokenTypes() {
    return TOKENS.stream().mapToInt(token -> isControl(token) ? 3 : 1).toArray();
  }

  private static ObjectNode tokenizer() {
    final ObjectNode root = JsonNodeFactory.instance.objectNode();
    final ArrayNode added = root.putArray("added_tokens");
    final ObjectNode model = root.putObject("model").put("type", "BPE");
    final ObjectNode vocabulary = model.putObject("vocab");
    for (int id = 0; id < TOKENS.size(); id++) {
      final String token = TOKENS.get(id);
      if (isControl(token)) {
        added
            .addObject()
            .put("id", id)
            .put("content", token)
            .put("special", true)
            .put("normalized", false);
      } else {
        vocabulary.put(token, id);
      }
    }
    model.putArray("merges").add("t h");
    root.putObject("pre_tokenizer")
        .put("type", "ByteLevel")
        .put("add_prefix_space", false)
        .put("use_regex", true);
    root.putObject("decoder").put("type", "ByteLevel");
    return root;
  }

  private static byte[] floats(String seed, int count) {
    final SplittableRandom random = new SplittableRandom(seed.hashCode());
    final ByteBuffer buffer =
        ByteBuffer.allocate(count * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) buffer.putFloat((float) random.nextDouble(-1, 1));
    return buffer.array();
  }

  /** Q8_0 blocks. */
  private static byte[] blocks(String seed, int count) {
    final SplittableRandom random = new SplittableRandom(seed.hashCode());
    final ByteBuffer buffer = ByteBuffer.allocate(count * 34).order(ByteOrder.LITTLE_ENDIAN);
    final byte[] values = new byte[32];
    for (int i = 0; i < count; i++) {
      random.nextBytes(values);
      buffer.putShort(Float.floatToFloat16(0.01f)).put(values);
    }
    return buffer.array();
  }
}
