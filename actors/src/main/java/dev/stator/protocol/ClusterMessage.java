package dev.stator.protocol;

/**
 * Crosses nodes as a message of its own. Its class, and all that it holds, stand in the cluster's
 * table of messages; anything else is refused.
 */
public interface ClusterMessage {}
