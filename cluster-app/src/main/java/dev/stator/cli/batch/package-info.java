/**
 * Files of requests. In: JSON lines, OpenAI's batch form or {@code {"text": prompt}}; out: one
 * result a line, in the same order.
 */
package dev.stator.cli.batch;
