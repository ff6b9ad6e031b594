/**
 * One client's generation: a session places it, streams it, cancels it, moves it. In: a {@link
 * dev.stator.request.GenerationCall}; out: {@link dev.stator.request.GenerationEvent}s.
 */
package dev.stator.request;
