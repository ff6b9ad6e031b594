/**
 * The OpenAI-compatible front end. In: HTTP requests; out: {@link
 * dev.stator.request.GenerationCall}s to the actors, and their events back as JSON or as a stream
 * of server-sent events.
 *
 * <p>A request's way: {@code HttpServer} (connections) to {@code Routes} (paths) to {@code
 * GenerationEndpoint}, which admits ({@code RequestGate}), reads and checks the body ({@code
 * ChatRequestParser}, {@code CompletionRequestParser}), makes tokens of it ({@code PromptEncoder}),
 * starts the generation, and hands the events to a {@code ChunkWriter} or an {@code AnswerWriter}.
 */
package dev.stator.http;
