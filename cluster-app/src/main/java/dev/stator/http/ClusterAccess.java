package dev.stator.http;

import dev.stator.cluster.ClusterView;
import java.util.concurrent.CompletionStage;

/** The cluster, as far as HTTP shows and steers it. Any thread may call it. */
public interface ClusterAccess {
  /** What is known now; asks nobody. */
  ClusterView view();

  /**
   * Drains a node.
   *
   * @param node one of the view's
   * @return completes when that node has left; fails when it cannot
   */
  CompletionStage<?> drain(String node);
}
