/**
 * Puts the actors together: {@link dev.stator.cluster.LocalNode} is a whole server on one actor
 * system.
 */
package dev.stator.cluster;
