/**
 * The command line. In: arguments; out: a node started through {@link dev.stator.cli.NodeStarter},
 * or a client of one that runs elsewhere.
 */
package dev.stator.cli;
