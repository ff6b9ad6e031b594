/**
 * The workers: an engine behind its own thread, and the two roles that it plays. In: {@link
 * dev.stator.protocol.DecodeCommand}, {@link dev.stator.protocol.PrefillCommand}; out: token
 * batches to session nodes, KV blocks to other workers, KV events and load to router, cache and
 * planner.
 */
package dev.stator.worker;
