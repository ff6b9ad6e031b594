/**
 * Blocks between processes of one host: the writer says where in its memory-mapped pool a block
 * lies, the receiving process copies it from there into its own. Nobody writes into another
 * process's memory, so one that hangs and wakes cannot either.
 */
package dev.stator.transport.shared;
