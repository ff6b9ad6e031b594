/**
 * Readers of model files: a path goes in at {@link dev.stator.model.file.ModelFiles}, a {@link
 * dev.stator.model.LoadedModel} comes out. GGUF files and Hugging Face folders differ in how they
 * name shapes and tensors; from there on they are one. A further dense architecture is a line in
 * {@code Architecture}.
 *
 * <p>Every byte of a file is distrusted: what is wrong with it is said in one sentence, a {@link
 * dev.stator.model.ModelFormatException}, and its claims cost nothing before the file proves them.
 */
package dev.stator.model.file;
