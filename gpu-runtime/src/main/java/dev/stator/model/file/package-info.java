/**
 * Readers of model files: GGUF, and Hugging Face folders with safetensors. Every byte of a file is
 * distrusted.
 */
package dev.stator.model.file;
