/**
 * The OpenAI-compatible front end. In: HTTP requests; out: {@link
 * dev.stator.request.GenerationCall}s to the actors, and their events back as JSON or as a stream
 * of server-sent events.
 *
 * <p>A request's way: {@code HttpServer} (connections) to {@code Routes} (paths) to {@code
 * BodyEndpoints}, which admits it ({@code RequestGate}) and reads it ({@code BodyReader}); {@code
 * RequestPreparation} checks the body ({@code ChatRequest}, {@code CompletionRequest}) and makes
 * tokens of it ({@code PromptEncoder}); {@code GenerationRunner} starts the generation and gives
 * its events to an {@code EventWriter}, for chunks or for a whole answer.
 */
package dev.stator.http;
