/**
 * Tool calls in an answer's text. {@link dev.stator.http.tools.ToolCallFormat} says how a model
 * writes them; its {@link dev.stator.http.tools.ToolCallParser} takes the text as it is generated
 * and gives {@link dev.stator.http.tools.Piece}s: text for the reader, calls and their arguments.
 * Pure: knows nothing of HTTP, and reads one character after the other, so that how the text was
 * cut into chunks never shows.
 */
package dev.stator.http.tools;
