/**
 * What backends between processes of one user on one host have in common: a folder for each process
 * that nobody else can guess, frames over Unix domain sockets, and a window of blocks on their way.
 * Knows none of the backends.
 */
package dev.stator.transport.local;
