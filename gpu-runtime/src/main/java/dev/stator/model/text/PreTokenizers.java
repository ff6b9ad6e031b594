package dev.stator.model.text;

import dev.stator.model.ModelFormatException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The pre-tokenizers of the families of models: regular expressions, applied one after the other,
 * each to what the one before has cut. Those of {@link #splitter} that are known by heart run as
 * hand-written scanners, whether a GGUF file names the family or a tokenizer.json spells the
 * expression. Names as in llama.cpp's {@code llama-vocab.cpp}, expressions as in each family's
 * tokenizer.json.
 */
final class PreTokenizers {
  /**
   * A family by its GGUF name.
   *
   * @param ignoresMerges whether a word that is a token is that token, whatever the merges say
   * @param addsBeginToken what holds when the file does not say
   */
  record Family(Splitter splitter, boolean ignoresMerges, boolean addsBeginToken) {}

  static final String GPT2 =
      "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

  private static final String CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
  private static final String SYMBOLS = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*";
  private static final String SPACES = "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  private static final String WORD = "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+";

  static final String LLAMA3 = CONTRACTIONS + WORD + "|\\p{N}{1,3}" + SYMBOLS + SPACES;
  static final String QWEN2 = CONTRACTIONS + WORD + "|\\p{N}" + SYMBOLS + SPACES;
  static final String QWEN35 =
      CONTRACTIONS
          + "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*"
          + SPACES;

  /** OpenAI's own spelling of cl100k; its last but two alternative lacks a plus, to no effect. */
  static final String CL100K =
      "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}"
          + "| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+";

  static final String BAILING =
      "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}"
          + "| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+";

  private static final String CAPITALS = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
  private static final String SMALL = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
  private static final String LEAD = "[^\\r\\n\\p{L}\\p{N}]?";
  private static final String CASED_REST =
      "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

  static final String TEKKEN =
      LEAD
          + CAPITALS
          + "*"
          + SMALL
          + "+|"
          + LEAD
          + CAPITALS
          + "+"
          + SMALL
          + "*|\\p{N}"
          + CASED_REST;
  static final String O200K =
      (LEAD + CAPITALS + "*" + SMALL + "+" + CONTRACTIONS + "?|")
          + (LEAD + CAPITALS + "+" + SMALL + "*" + CONTRACTIONS + "?|\\p{N}{1,3}")
          + CASED_REST;

  private static final String NUMBER = "\\p{N}";
  private static final String NUMBERS = "\\p{N}+";
  private static final String THREE_NUMBERS = "\\p{N}{1,3}";
  private static final String THREE_DIGITS = "[0-9][0-9][0-9]";
  private static final String LINE_END = "[\r\n]";
  private static final String LINE_END_ESCAPED = "[\\r\\n]";
  private static final String TRAILING_SPACES = "\\s+$";
  private static final String CJK = "[\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+";
  private static final String CJK_AND_KANA = "[\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+";

  private static final List<String> DEFAULT =
      List.of("[\\p{P}\\$\\+<=>\\^~\\|]+", GPT2, NUMBERS, THREE_DIGITS);
  private static final List<String> FALCON =
      List.of("[\\p{P}\\$\\+<=>\\^~\\|`]+", GPT2, THREE_DIGITS);
  static final List<String> STARCODER = List.of(NUMBER, GPT2);
  static final List<String> DEEPSEEK_LLM =
      List.of(
          LINE_END,
          "\\s?[" + DeepSeekLetters.RANGES + "]+",
          "\\s?[!-/:-~\uFF01-\uFF0F\uFF1A-\uFF5E\u2018-\u201F\u3000-\u3002]+",
          TRAILING_SPACES,
          CJK,
          NUMBERS);
  static final List<String> DEEPSEEK_CODER =
      List.of(LINE_END, "\\s?\\p{L}+", "\\s?\\p{P}+", CJK, NUMBER);
  static final List<String> DEEPSEEK_V3 =
      List.of(
          THREE_NUMBERS,
          CJK_AND_KANA,
          "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+"
              + "|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*"
              + "|\\s*[\r\n]+|\\s+(?!\\S)|\\s+");
  private static final String BLOOM = " ?[^(\\s|.,!?\u2026\u3002\uFF0C\u3001\u0964\u06D4\u060C)]+";
  private static final String SEED_CODER =
      (CONTRACTIONS + "|[^\r\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\r\n]+")
          + "|\\s*[\r\n]+|\\s+(?!\\S)|\\s+";

  private static final Map<String, Splitter> KNOWN =
      Map.ofEntries(
          Map.entry(GPT2, new Gpt2Words()),
          Map.entry(LLAMA3, new Cl100kWords(3, false)),
          Map.entry(CL100K, new Cl100kWords(3, false)),
          Map.entry(QWEN2, new Cl100kWords(1, false)),
          Map.entry(BAILING, new Cl100kWords(1, false)),
          Map.entry(QWEN35, new Cl100kWords(1, true)),
          Map.entry(TEKKEN, new CasedWords(1, false)),
          Map.entry(O200K, new CasedWords(3, true)),
          Map.entry(NUMBER, numbers(1)),
          Map.entry(THREE_NUMBERS, numbers(3)),
          Map.entry(NUMBERS, numbers(Integer.MAX_VALUE)),
          Map.entry(LINE_END, lineEnds()),
          Map.entry(LINE_END_ESCAPED, lineEnds()),
          Map.entry(TRAILING_SPACES, isolating(MatchFinder.trailingSpaces())));

  private static final Map<String, Family> FAMILIES = families();

  private PreTokenizers() {}

  /**
   * The family that a GGUF file names in {@code tokenizer.ggml.pre}.
   *
   * @throws ModelFormatException when there is none of the name
   */
  static Family family(String name) {
    final Family family = FAMILIES.get(name);
    if (family == null) {
      throw new ModelFormatException(
          "tokenizer.ggml.pre is %s, a pre-tokenizer that is not supported"
              .formatted(Excerpt.of(name)));
    }
    return family;
  }

  /** The splitter that isolates what a regular expression matches. */
  static Splitter splitter(String expression) {
    return splitter(expression, MatchSplitter.Behavior.ISOLATED, false);
  }

  /** The splitter that cuts a text at what a regular expression matches. */
  static Splitter splitter(String expression, MatchSplitter.Behavior behavior, boolean inverted) {
    final Splitter known = KNOWN.get(expression);
    final boolean isolates = behavior == MatchSplitter.Behavior.ISOLATED;
    // A scanner's words cover the text: nothing lies between them that could be removed.
    final boolean removesTheRest =
        behavior == MatchSplitter.Behavior.REMOVED && inverted && known instanceof WordScanner;
    if (known != null && (isolates || removesTheRest)) return known;
    return new MatchSplitter(RegexFinder.compile(expression), behavior, inverted);
  }

  private static Splitter isolating(MatchFinder finder) {
    return new MatchSplitter(finder, MatchSplitter.Behavior.ISOLATED, false);
  }

  private static Splitter numbers(int countMax) {
    return isolating(
        MatchFinder.runs(c -> (CodePoints.classes(c) & CodePoints.NUMBER) != 0, countMax));
  }

  private static Splitter lineEnds() {
    return isolating(MatchFinder.runs(c -> (CodePoints.classes(c) & CodePoints.NEWLINE) != 0, 1));
  }

  private static Map<String, Family> families() {
    final Map<String, Family> families = new HashMap<>();
    put(families, DEFAULT, "default");
    put(families, FALCON, "falcon");
    put(families, STARCODER, "starcoder", "refact", "command-r", "smollm", "codeshell", "exaone");
    put(families, STARCODER, "minerva-7b", "mellum2");
    put(families, List.of(GPT2), "gpt-2", "phi-2", "mpt", "olmo", "jais", "trillion", "exaone4");
    put(families, List.of(GPT2), "granite-docling", "gigachat", "a.x-4.0", "mellum", "modern-bert");
    put(families, List.of(GPT2), "jina-es", "jina-de", "jina-v2-es", "jina-v2-de");
    put(families, List.of(LLAMA3), "dbrx", "smaug-bpe", "glm4", "chatglm-bpe");
    put(families, List.of(QWEN2), "qwen2", "deepseek-r1-qwen", "stablelm2", "megrez", "hunyuan");
    put(families, List.of(QWEN2), "grok-2", "solar-open", "kormo", "f2llmv2");
    put(families, List.of(QWEN35), "qwen35");
    put(families, List.of(BAILING), "bailingmoe", "bailingmoe2", "llada-moe");
    put(families, List.of(O200K), "gpt-4o", "llama4", "kanana2", "minimax-m2", "talkie");
    put(families, List.of(SEED_CODER), "seed-coder");
    put(families, List.of(BLOOM), "poro-chat", "bloom", "gpt3-finnish");
    put(families, List.of(BLOOM, NUMBER), "viking");
    put(families, DEEPSEEK_LLM, "deepseek-llm");
    put(families, DEEPSEEK_CODER, "deepseek-coder");
    put(families, DEEPSEEK_V3, "deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4");
    final Splitter llama3 = chain(List.of(LLAMA3));
    for (String name : List.of("llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1")) {
      families.put(name, new Family(llama3, true, true));
    }
    for (String name : List.of("pixtral", "midm-2.0", "lfm2")) {
      families.put(name, new Family(llama3, true, true));
    }
    families.put("tekken", new Family(chain(List.of(TEKKEN)), true, true));
    return Map.copyOf(families);
  }

  private static void put(Map<String, Family> families, List<String> patterns, String... names) {
    final Family family = new Family(chain(patterns), false, false);
    for (String name : names) families.put(name, family);
  }

  private static Splitter chain(List<String> patterns) {
    Splitter chain = Splitter.WHOLE;
    for (String pattern : patterns) chain = chain.then(splitter(pattern));
    return chain;
  }
}
