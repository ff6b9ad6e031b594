package dev.stator.model.text;

import dev.stator.model.ModelFormatException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tokenizers from the {@code tokenizer.ggml.*} keys of a GGUF file, with llama.cpp's defaults.
 *
 * <p>{@code gpt2} is byte-level BPE: {@code tokens}, {@code merges}, and {@code pre} for the
 * family's pre-tokenizer. {@code llama} is SentencePiece's BPE: {@code tokens} and {@code scores}.
 */
final class GgufTokenizers {
  private static final Logger LOG = LoggerFactory.getLogger(GgufTokenizers.class);

  private static final String PREFIX = "tokenizer.ggml.";
  private static final String WORD_START = "\u2581";
  private static final int UNKNOWN = 2;
  private static final int CONTROL = 3;
  private static final int USER_DEFINED = 4;
  private static final int UNUSED = 5;
  private static final int BYTE = 6;
  private static final int NORMAL = 1;
  private static final int SENTENCE_PIECE_BEGIN_ID = 1;

  /** Tokens that end a turn and that converters are known to have left without a type. */
  private static final Set<String> ENDS =
      Set.of("<|eot_id|>", "<|eom_id|>", "<|im_end|>", "<|end|>", "<|endoftext|>", "<end_of_turn>");

  private final TokenizerMetadata metadata;
  private final List<String> tokens;
  private final int[] types;

  private GgufTokenizers(TokenizerMetadata metadata) {
    this.metadata = metadata;
    tokens = metadata.strings(PREFIX + "tokens");
    if (tokens.isEmpty() || tokens.size() > Vocabulary.SIZE_MAX) {
      throw new ModelFormatException(
          "tokenizer.ggml.tokens has %d tokens, expected 1 to %d"
              .formatted(tokens.size(), Vocabulary.SIZE_MAX));
    }
    types = metadata.ints(PREFIX + "token_type").clone();
    if (types.length != 0) requireLength("token_type", types.length);
  }

  static Tokenizer read(TokenizerMetadata metadata) {
    final String model =
        metadata
            .string(PREFIX + "model")
            .orElseThrow(() -> new ModelFormatException("tokenizer.ggml.model is missing"));
    return switch (model) {
      case "gpt2" -> new GgufTokenizers(metadata).bytePairs();
      case "llama" -> new GgufTokenizers(metadata).sentencePieces();
      default ->
          throw new ModelFormatException(
              "tokenizer.ggml.model is %s, expected 'gpt2' (byte-level BPE) or 'llama' (SentencePiece)"
                  .formatted(Excerpt.of(model)));
    };
  }

  private Tokenizer bytePairs() {
    final PreTokenizers.Family family = PreTokenizers.family(familyName());
    final String[] spellings = spellings();
    final TokenIndex index = uniqueIndex(spellings);
    final List<String> merges = metadata.strings(PREFIX + "merges");
    final MergeTable table = new MergeTable(index, merges.size(), false);
    for (String merge : merges) addMerge(table, merge);
    final byte[][] bytes = new byte[spellings.length][];
    for (int id = 0; id < bytes.length; id++) bytes[id] = byteLevelBytes(id);
    WordEncoder encoder = new MergeEncoder(new ByteSymbols(index), table);
    if (family.ignoresMerges()) {
      encoder = encoder.preferring(WholeWords.ofByteLevel(spellings, specials()));
    }
    return tokenizer(
        bytes,
        edges(specialId("bos"), family.addsBeginToken(), false),
        TextRewriter.NONE,
        family.splitter(),
        new CachingEncoder(encoder));
  }

  private Tokenizer sentencePieces() {
    final float[] scores = metadata.floats(PREFIX + "scores");
    requireLength("scores", scores.length);
    for (int id = 0; id < scores.length; id++) {
      if (Float.isNaN(scores[id])) {
        throw new ModelFormatException("tokenizer.ggml.scores has NaN for token %d".formatted(id));
      }
    }
    final TokenIndex all = uniqueIndex(spellings());
    final String[] pieces = spellings();
    final byte[][] bytes = new byte[pieces.length][];
    for (int id = 0; id < pieces.length; id++) {
      bytes[id] = pieceBytes(id);
      if (type(id) == CONTROL || type(id) == UNKNOWN || type(id) == BYTE) pieces[id] = null;
    }
    final boolean prefixesSpace = metadata.flag(PREFIX + "add_space_prefix").orElse(true);
    final String prefix = prefixesSpace ? WORD_START : "";
    return tokenizer(
        bytes,
        edges(beginPieceId(), true, prefixesSpace),
        (text, isFirst) -> prefix + text.replace(" ", WORD_START),
        Splitter.WHOLE,
        new ScoredEncoder(new TokenIndex(pieces), scores, unknownCharacters(all)));
  }

  private Tokenizer tokenizer(
      byte[][] bytes,
      VocabularyTokenizer.Edges edges,
      TextRewriter rewriter,
      Splitter splitter,
      WordEncoder encoder) {
    return new VocabularyTokenizer(
        new Vocabulary(spellings(), bytes, specials()),
        edges,
        new TextPipeline(addedTokens(), TextRewriter.NONE, rewriter, splitter, encoder));
  }

  private String familyName() {
    return metadata
        .string(PREFIX + "pre")
        .orElseGet(() -> {
          LOG.warn("The model names no pre-tokenizer (tokenizer.ggml.pre); using the default");
          return "default";
        });
  }

  private String[] spellings() {
    return tokens.toArray(String[]::new);
  }

  private TokenIndex uniqueIndex(String[] spellings) {
    final TokenIndex index = new TokenIndex(spellings);
    for (int id = 0; id < spellings.length; id++) {
      final int first = spellings[id].isEmpty() ? id : index.find(spellings[id]);
      if (first != id) {
        throw new ModelFormatException(
            "tokenizer.ggml.tokens has %s twice, as %d and as %d"
                .formatted(Excerpt.of(spellings[id]), first, id));
      }
    }
    return index;
  }

  private static void addMerge(MergeTable table, String merge) {
    final int space = merge.indexOf(' ', 1);
    if (space < 0 || space == merge.length() - 1) {
      throw new ModelFormatException(
          "tokenizer.ggml.merges has %s, expected two tokens with a space between them"
              .formatted(Excerpt.of(merge)));
    }
    table.add(merge.substring(0, space), merge.substring(space + 1));
  }

  private byte[] byteLevelBytes(int id) {
    if (type(id) == BYTE) return byteTokenBytes(id);
    final byte[] bytes = type(id) == NORMAL ? ByteAlphabet.decode(tokens.get(id)) : null;
    return bytes != null ? bytes : utf8(tokens.get(id));
  }

  private byte[] pieceBytes(int id) {
    return switch (type(id)) {
      case BYTE -> byteTokenBytes(id);
      case NORMAL, UNUSED -> utf8(tokens.get(id).replace(WORD_START, " "));
      default -> utf8(tokens.get(id));
    };
  }

  private byte[] byteTokenBytes(int id) {
    final int value = UnknownCharacters.byteOf(tokens.get(id));
    if (value < 0) {
      throw new ModelFormatException(
          "token %d is %s, expected the form <0x0A> of a byte token"
              .formatted(id, Excerpt.of(tokens.get(id))));
    }
    return new byte[] {(byte) value};
  }

  private UnknownCharacters unknownCharacters(TokenIndex all) {
    for (int id = 0; id < types.length; id++) {
      if (type(id) == BYTE) return UnknownCharacters.asBytes(all);
    }
    final OptionalInt unknown = specialId("unknown");
    return unknown.isPresent()
        ? UnknownCharacters.asToken(unknown.getAsInt(), true)
        : UnknownCharacters.asBytes(all);
  }

  private OptionalInt beginPieceId() {
    final OptionalInt stated = specialId("bos");
    final boolean hasUsual =
        tokens.size() > SENTENCE_PIECE_BEGIN_ID && type(SENTENCE_PIECE_BEGIN_ID) == CONTROL;
    return stated.isPresent() || !hasUsual ? stated : OptionalInt.of(SENTENCE_PIECE_BEGIN_ID);
  }

  private VocabularyTokenizer.Edges edges(
      OptionalInt begin, boolean addsBeginUnlessSaid, boolean stripsLeadingSpace) {
    final boolean addsBegin =
        metadata.flag(PREFIX + "add_bos_token").orElse(addsBeginUnlessSaid && begin.isPresent());
    if (addsBegin && begin.isEmpty()) {
      throw new ModelFormatException(
          "tokenizer.ggml.add_bos_token is true, but tokenizer.ggml.bos_token_id is missing");
    }
    return new VocabularyTokenizer.Edges(begin, addsBegin, stripsLeadingSpace);
  }

  private List<AddedToken> addedTokens() {
    final BitSet special = specials();
    final List<AddedToken> added = new ArrayList<>();
    for (int id = 0; id < tokens.size(); id++) {
      if (tokens.get(id).isEmpty() || type(id) != USER_DEFINED && !special.get(id)) continue;
      if (tokens.get(id).length() > AddedTokenMatcher.CONTENT_LENGTH_MAX) {
        throw new ModelFormatException(
            "token %d is %d characters long, expected at most %d of a token that is not normal"
                .formatted(id, tokens.get(id).length(), AddedTokenMatcher.CONTENT_LENGTH_MAX));
      }
      added.add(AddedToken.plain(id, tokens.get(id), special.get(id)));
    }
    return added;
  }

  private BitSet specials() {
    final BitSet special = new BitSet(tokens.size());
    for (int id = 0; id < tokens.size(); id++) {
      special.set(id, type(id) == CONTROL || type(id) == UNKNOWN || ENDS.contains(tokens.get(id)));
    }
    for (String name : List.of("eos", "eot", "eom")) {
      specialId(name).ifPresent(special::set);
    }
    return special;
  }

  private int type(int id) {
    return types.length == 0 ? NORMAL : types[id];
  }

  private OptionalInt specialId(String name) {
    final String key = PREFIX + name + "_token_id";
    final OptionalLong id = metadata.integer(key);
    if (id.isEmpty()) return OptionalInt.empty();
    if (id.getAsLong() < 0 || id.getAsLong() >= tokens.size()) {
      throw new ModelFormatException(
          "%s is %d, expected a token of 0 to %d"
              .formatted(key, id.getAsLong(), tokens.size() - 1));
    }
    return OptionalInt.of((int) id.getAsLong());
  }

  private void requireLength(String key, int length) {
    if (length == tokens.size()) return;
    throw new ModelFormatException(
        "tokenizer.ggml.%s has %d values for %d tokens".formatted(key, length, tokens.size()));
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
