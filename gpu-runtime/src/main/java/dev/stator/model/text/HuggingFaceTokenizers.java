package dev.stator.model.text;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.model.ModelFormatException;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tokenizers from a Hugging Face folder's {@code tokenizer.json} and {@code tokenizer_config.json}:
 * models of the type BPE, byte-level or over characters. Semantics as in Hugging Face's {@code
 * tokenizers}.
 */
final class HuggingFaceTokenizers {
  private static final Logger LOG = LoggerFactory.getLogger(HuggingFaceTokenizers.class);

  private final JsonPart root;
  private final Optional<JsonPart> config;
  private final JsonPart model;
  private final HuggingFaceVocabulary vocabulary;

  private HuggingFaceTokenizers(JsonPart root, Optional<JsonPart> config) {
    this.root = root;
    this.config = config;
    model = root.required("model");
    final String type = model.optional("type").map(JsonPart::string).orElse("BPE");
    if (!type.equals("BPE")) throw model.unsupported("the type " + Excerpt.of(type));
    vocabulary = HuggingFaceVocabulary.read(root, model, config);
  }

  static Tokenizer read(JsonNode tokenizerJson, JsonNode tokenizerConfig) {
    final JsonPart root = new JsonPart(tokenizerJson, "tokenizer.json:");
    final Optional<JsonPart> config =
        Optional.ofNullable(tokenizerConfig)
            .filter(node -> !node.isNull() && !node.isMissingNode())
            .map(node -> new JsonPart(node, "tokenizer_config.json:"));
    return new HuggingFaceTokenizers(root, config).build();
  }

  private Tokenizer build() {
    refuse("dropout", part -> part.node().isNumber() && part.node().doubleValue() == 0);
    refuse("continuing_subword_prefix", part -> part.string().isEmpty());
    refuse("end_of_word_suffix", part -> part.string().isEmpty());
    for (String name : List.of("truncation", "padding")) {
      if (root.optional(name).isPresent()) {
        LOG.warn("tokenizer.json sets {}; the server bounds prompts itself", name);
      }
    }
    final TextRewriter normalizer =
        root.optional("normalizer").map(HuggingFaceNormalizer::read).orElse(TextRewriter.NONE);
    final HuggingFacePreTokenizer preTokenizer =
        HuggingFacePreTokenizer.read(root.optional("pre_tokenizer"));
    final HuggingFaceDecoder decoder = HuggingFaceDecoder.read(root.required("decoder"));
    final WordEncoder encoder = encoder(preTokenizer.isByteLevel());
    return new VocabularyTokenizer(
        new Vocabulary(vocabulary.spellings(), bytes(decoder), vocabulary.special()),
        edges(decoder),
        new TextPipeline(
            vocabulary.added(),
            normalizer,
            preTokenizer.rewriter(),
            preTokenizer.splitter(),
            encoder));
  }

  private void refuse(String name, Predicate<JsonPart> isHarmless) {
    final Optional<JsonPart> part = model.optional(name);
    if (part.isPresent() && !isHarmless.test(part.get())) throw model.unsupported(name);
  }

  private WordEncoder encoder(boolean isByteLevel) {
    final String[] spellings = vocabulary.modelSpellings();
    final TokenIndex index = new TokenIndex(spellings);
    final MergeEncoder.Symbols symbols =
        isByteLevel
            ? new ByteSymbols(index)
            : new CharacterSymbols(index, unknownCharacters(index));
    final WordEncoder merging = new MergeEncoder(symbols, merges(index));
    if (!model.flag("ignore_merges", false)) return new CachingEncoder(merging);
    final BitSet special = vocabulary.special();
    final TokenIndex words =
        isByteLevel
            ? WholeWords.ofByteLevel(spellings, special)
            : WholeWords.ofCharacters(spellings, special);
    return new CachingEncoder(merging.preferring(words));
  }

  private UnknownCharacters unknownCharacters(TokenIndex index) {
    if (model.flag("byte_fallback", false)) return UnknownCharacters.asBytes(index);
    final Optional<JsonPart> unknown = model.optional("unk_token");
    if (unknown.isEmpty()) return UnknownCharacters.dropped();
    final int id = index.find(unknown.get().string());
    if (id == TokenIndex.ABSENT) throw unknown.get().expected("a token of model.vocab");
    return UnknownCharacters.asToken(id, model.flag("fuse_unk", false));
  }

  private MergeTable merges(TokenIndex index) {
    final JsonPart merges = model.required("merges");
    if (!merges.node().isArray()) throw merges.expected("an array");
    final MergeTable table = new MergeTable(index, merges.node().size(), true);
    for (JsonNode merge : merges.node()) {
      if (!merge.asText().startsWith("#version")) addMerge(table, merge);
    }
    return table;
  }

  private static void addMerge(MergeTable table, JsonNode merge) {
    if (merge.isArray()
        && merge.size() == 2
        && merge.get(0).isTextual()
        && merge.get(1).isTextual()) {
      table.add(merge.get(0).textValue(), merge.get(1).textValue());
      return;
    }
    final String text = merge.isTextual() ? merge.textValue() : "";
    final int space = text.indexOf(' ');
    if (space <= 0 || space == text.length() - 1 || text.indexOf(' ', space + 1) >= 0) {
      throw new ModelFormatException(
          "tokenizer.json: model.merges has %s, expected two tokens with a space between them"
              .formatted(Excerpt.of(merge.toString())));
    }
    table.add(text.substring(0, space), text.substring(space + 1));
  }

  private byte[][] bytes(HuggingFaceDecoder decoder) {
    final String[] spellings = vocabulary.spellings();
    final byte[][] bytes = new byte[spellings.length][];
    for (int id = 0; id < bytes.length; id++) {
      if (spellings[id] != null) bytes[id] = decoder.bytes(spellings[id]);
    }
    for (AddedToken token : vocabulary.added()) {
      if (vocabulary.isOfModel(token.id())) continue;
      bytes[token.id()] = token.content().getBytes(StandardCharsets.UTF_8);
    }
    return bytes;
  }

  private VocabularyTokenizer.Edges edges(HuggingFaceDecoder decoder) {
    final TokenIndex index = new TokenIndex(vocabulary.spellings());
    final Optional<String> template =
        root.optional("post_processor").flatMap(HuggingFaceTemplate::beginToken);
    final OptionalInt begin =
        config
            .flatMap(part -> part.optional("bos_token"))
            .map(part -> part.node().isObject() ? part.required("content") : part)
            .map(JsonPart::string)
            .or(() -> template)
            .map(text -> OptionalInt.of(beginId(index, text)))
            .orElse(OptionalInt.empty());
    final boolean addsBegin =
        config
            .map(part -> part.flag("add_bos_token", template.isPresent()))
            .orElse(template.isPresent());
    if (addsBegin && begin.isEmpty()) {
      throw new ModelFormatException(
          "tokenizer_config.json: add_bos_token is true, but bos_token is missing");
    }
    return new VocabularyTokenizer.Edges(begin, addsBegin, decoder.stripsLeadingSpace());
  }

  private static int beginId(TokenIndex index, String text) {
    final int id = index.find(text);
    if (id != TokenIndex.ABSENT) return id;
    throw new ModelFormatException(
        "the beginning-of-sequence token %s is not in the vocabulary".formatted(Excerpt.of(text)));
  }
}
