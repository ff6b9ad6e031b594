/**
 * Clusters of this machine: their processes, the folder that remembers them, and how a cluster
 * looks in the terminal. In: commands; out: processes of {@code stator join}, signals, and text
 * from {@code GET /cluster}.
 */
package dev.stator.cli.cluster;
