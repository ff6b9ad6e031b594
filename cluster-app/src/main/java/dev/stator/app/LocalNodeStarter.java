package dev.stator.app;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import dev.stator.cli.Failures;
import dev.stator.cli.NodeSettings;
import dev.stator.cli.NodeStartException;
import dev.stator.cli.NodeStarter;
import dev.stator.cli.RunningNode;
import dev.stator.model.LoadedModel;
import dev.stator.model.ModelFormatException;
import dev.stator.model.file.ModelFiles;
import java.net.BindException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** Starts a whole node in this process: model, actors, HTTP. */
public final class LocalNodeStarter implements NodeStarter {
  @Override
  public RunningNode start(NodeSettings settings) {
    try {
      final Config config = NodeConfig.of(settings);
      ConfigRules.check(config, settings.engine());
      // The actor system takes about as long to start as a small model to load.
      final CompletableFuture<ActorSystem<Void>> system =
          CompletableFuture.supplyAsync(
              () -> ActorSystem.create(Behaviors.empty(), "stator", config));
      final LoadedModel model = openOrTerminate(settings, system);
      return StatorNode.start(settings, config, model, system.join());
    } catch (RuntimeException | OutOfMemoryError failure) {
      throw explained(settings, unwrapped(failure));
    }
  }

  private static LoadedModel openOrTerminate(
      NodeSettings settings, CompletableFuture<ActorSystem<Void>> system) {
    try {
      return ModelFiles.open(settings.model());
    } catch (RuntimeException | Error failure) {
      system.thenAccept(ActorSystem::terminate);
      throw failure;
    }
  }

  static Throwable unwrapped(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null
        && (cause instanceof CompletionException || cause instanceof ExecutionException)) {
      cause = cause.getCause();
    }
    return cause;
  }

  private static NodeStartException explained(NodeSettings settings, Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof BindException) {
        return new NodeStartException(
            "cannot listen on %s:%d (%s); choose another --port"
                .formatted(settings.host(), settings.port(), cause.getMessage()),
            failure);
      }
      if (cause instanceof OutOfMemoryError) {
        return new NodeStartException(Failures.sentence(cause), failure);
      }
    }
    return switch (failure) {
      case NodeStartException explained -> explained;
      case ModelFormatException broken ->
          new NodeStartException("the model cannot be served: " + broken.getMessage(), broken);
      case ConfigException wrong ->
          new NodeStartException("the configuration is wrong: " + wrong.getMessage(), wrong);
      case IllegalArgumentException wrong ->
          new NodeStartException("the configuration is wrong: " + wrong.getMessage(), wrong);
      default -> new NodeStartException("the node could not be started: " + failure, failure);
    };
  }
}
