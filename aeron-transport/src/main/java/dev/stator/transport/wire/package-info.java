/**
 * Frames of the Aeron backends: what lies where, and whether a frame that arrived makes sense. In:
 * buffers; out: fields, or a {@link dev.stator.transport.wire.FrameFault}. A peer of the same host
 * may change a frame while it is read: what a check has found is a reason to go on, never a bound
 * to write by.
 */
package dev.stator.transport.wire;
