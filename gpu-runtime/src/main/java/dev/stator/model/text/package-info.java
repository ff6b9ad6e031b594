/**
 * Text in and out: tokenizers, incremental decoding, chat templates.
 *
 * <p>A prompt comes in as the text that a {@link dev.stator.model.text.ChatTemplate} renders and
 * leaves as token ids; generated ids come in one by one and leave as text. {@link
 * dev.stator.model.text.Tokenizers} reads a model's description, from GGUF keys or a
 * tokenizer.json, into one {@code VocabularyTokenizer}, which sends a text through a {@code
 * TextPipeline}: {@code AddedTokenMatcher} (special tokens), {@code TextRewriter} (normalizers),
 * {@code Splitter} (the family's pre-tokenizer, of {@code PreTokenizers}), {@code WordEncoder}
 * (merges). Ids become text in {@code StreamDecoder}.
 */
package dev.stator.model.text;
