package dev.stator.cli;

/** Starts a whole node in this process. The command line's only door to the server. */
public interface NodeStarter {
  /**
   * Loads the model, starts the node and binds its address; returns when it answers requests.
   *
   * @throws NodeStartException when it cannot; whatever was started is stopped again
   */
  RunningNode start(NodeSettings settings);
}
