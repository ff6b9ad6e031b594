package dev.stator.cluster;

import dev.stator.request.Generations;
import dev.stator.request.ServedModel;
import dev.stator.worker.StatsBoard;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/** A running node, alone or in a cluster, as the application sees it. Any thread may call it. */
public interface Node {
  /** Of any of {@link #models}. */
  Generations generations();

  /** What can be asked for; changes as models come and go. */
  List<ServedModel> models();

  /** This node's figures. */
  StatsBoard stats();

  LocalNode.State state();

  /** Completes when the node serves; fails with the reason when it cannot. */
  CompletionStage<Done> ready();

  /** Refuses new work, finishes or moves what runs, then stops. */
  CompletionStage<Done> drain();

  /** Stops at once. */
  CompletionStage<Done> stop();
}
