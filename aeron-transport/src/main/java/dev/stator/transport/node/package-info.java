/**
 * All that a process needs to move blocks: the configured backends, started, and one choice among
 * them.
 */
package dev.stator.transport.node;
