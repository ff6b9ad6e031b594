/**
 * {@code stator bench engine}: tokens a second of the CPU device's kernel families, beside those of
 * llama.cpp.
 */
package dev.stator.cli.engine;
