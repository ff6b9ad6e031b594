/**
 * KV blocks from one worker's memory to another's. In: a {@link dev.stator.transport.Grant} and the
 * blocks that go into it; out: one outcome for the writer, one for the side that granted. Knows
 * nothing of actors or engines.
 */
package dev.stator.transport;
