package dev.stator.model.text;

import dev.stator.model.ModelFormatException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * The tokens of a tokenizer.json: those of the model and the added ones.
 *
 * @param spellings by id, added tokens included; null where there is none
 * @param modelSpellings by id, only of {@code model.vocab}
 * @param special ids of the special added tokens
 */
record HuggingFaceVocabulary(
    String[] spellings, String[] modelSpellings, List<AddedToken> added, BitSet special) {
  /** Ids below the highest one that may have no token. */
  private static final int HOLES_MAX = 65_536;

  /**
   * @throws ModelFormatException when ids are out of range or taken twice
   */
  static HuggingFaceVocabulary read(JsonPart root, JsonPart model, Optional<JsonPart> config) {
    final List<Map.Entry<String, JsonPart>> vocab = model.required("vocab").fields();
    final Map<Integer, AddedToken> added = addedTokens(root, config);
    int idMax = -1;
    for (Map.Entry<String, JsonPart> token : vocab) idMax = Math.max(idMax, id(token.getValue()));
    for (int id : added.keySet()) idMax = Math.max(idMax, id);
    if (idMax < 0) throw model.required("vocab").expected("at least one token");
    if (idMax - vocab.size() - added.size() > HOLES_MAX) {
      throw new ModelFormatException(
          "tokenizer.json: the highest token id is %d, but there are only %d tokens"
              .formatted(idMax, vocab.size() + added.size()));
    }
    final String[] modelSpellings = new String[idMax + 1];
    for (Map.Entry<String, JsonPart> token : vocab) {
      place(modelSpellings, id(token.getValue()), token.getKey());
    }
    final String[] spellings = modelSpellings.clone();
    final BitSet special = new BitSet();
    final TokenIndex index = new TokenIndex(modelSpellings);
    final Set<String> contents = new HashSet<>();
    for (AddedToken token : added.values()) {
      if (!contents.add(token.content())) {
        throw new ModelFormatException(
            "tokenizer.json: there are two added tokens %s".formatted(Excerpt.of(token.content())));
      }
      final int modelId = index.find(token.content());
      if (modelId != TokenIndex.ABSENT && modelId != token.id()) {
        throw new ModelFormatException(
            "tokenizer.json: the added token %s has id %d, but %d in model.vocab"
                .formatted(Excerpt.of(token.content()), token.id(), modelId));
      }
      if (modelId == TokenIndex.ABSENT) place(spellings, token.id(), token.content());
      special.set(token.id(), token.special());
    }
    return new HuggingFaceVocabulary(
        spellings, modelSpellings, List.copyOf(added.values()), special);
  }

  /** Whether {@code model.vocab} has the token, be it an added one or not. */
  boolean isOfModel(int id) {
    return modelSpellings[id] != null;
  }

  /** By id. What tokenizer_config.json says is of use only where tokenizer.json is silent. */
  private static Map<Integer, AddedToken> addedTokens(JsonPart root, Optional<JsonPart> config) {
    final Map<Integer, AddedToken> added = new TreeMap<>();
    final Optional<JsonPart> list = root.optional("added_tokens");
    for (JsonPart part : list.map(JsonPart::elements).orElse(List.of())) {
      final AddedToken token = addedToken(part, id(part.required("id")));
      if (added.putIfAbsent(token.id(), token) != null) {
        throw new ModelFormatException(
            part.path() + " has id %d, which another added token has".formatted(token.id()));
      }
    }
    final Optional<JsonPart> more = config.flatMap(part -> part.optional("added_tokens_decoder"));
    final List<AddedToken> stated = new ArrayList<>(added.values());
    for (Map.Entry<String, JsonPart> field : more.map(JsonPart::fields).orElse(List.of())) {
      final AddedToken token = addedToken(field.getValue(), id(field.getKey()));
      final boolean isStated =
          stated.stream().anyMatch(known -> known.content().equals(token.content()));
      if (!isStated) added.putIfAbsent(token.id(), token);
    }
    return added;
  }

  private static AddedToken addedToken(JsonPart part, int id) {
    final JsonPart content = part.required("content");
    final int length = content.string().length();
    if (length == 0 || length > AddedTokenMatcher.CONTENT_LENGTH_MAX) {
      throw content.expected("1 to %d characters".formatted(AddedTokenMatcher.CONTENT_LENGTH_MAX));
    }
    final boolean special = part.flag("special", false);
    return new AddedToken(
        id,
        content.string(),
        part.flag("single_word", false),
        part.flag("lstrip", false),
        part.flag("rstrip", false),
        part.flag("normalized", !special),
        special);
  }

  private static int id(JsonPart part) {
    final int id = part.integer();
    if (id < 0 || id >= Vocabulary.SIZE_MAX) {
      throw part.expected("a token id of 0 to %d".formatted(Vocabulary.SIZE_MAX - 1));
    }
    return id;
  }

  private static int id(String key) {
    if (key.matches("[0-9]{1,7}") && Integer.parseInt(key) < Vocabulary.SIZE_MAX) {
      return Integer.parseInt(key);
    }
    throw new ModelFormatException(
        "tokenizer_config.json: added_tokens_decoder has the key %s, expected a token id"
            .formatted(Excerpt.of(key)));
  }

  private static void place(String[] spellings, int id, String spelling) {
    if (spellings[id] != null) {
      throw new ModelFormatException(
          "tokenizer.json: the tokens %s and %s have the same id %d"
              .formatted(Excerpt.of(spellings[id]), Excerpt.of(spelling), id));
    }
    spellings[id] = spelling;
  }
}
