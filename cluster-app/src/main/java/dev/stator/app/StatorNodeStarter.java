package dev.stator.app;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import dev.stator.cli.ClusterMembership;
import dev.stator.cli.Failures;
import dev.stator.cli.NodeSettings;
import dev.stator.cli.NodeStartException;
import dev.stator.cli.NodeStarter;
import dev.stator.cli.RunningNode;
import dev.stator.http.HttpServer;
import dev.stator.model.LoadedModel;
import dev.stator.model.ModelFormatException;
import dev.stator.model.file.ModelFiles;
import java.net.BindException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.remote.RemoteTransportException;

/** Starts a whole node in this process: model, actors, HTTP; alone or in a cluster. */
public final class StatorNodeStarter implements NodeStarter {
  @Override
  public RunningNode start(NodeSettings settings) {
    try {
      final Config config = NodeConfig.of(settings);
      ConfigRules.check(config, settings.engine());
      // The actor system takes about as long to start as a small model to load.
      final CompletableFuture<ActorSystem<Void>> system =
          CompletableFuture.supplyAsync(() -> newSystem(config));
      final Optional<LoadedModel> model =
          settings.model().map(path -> openOrTerminate(path, settings, system));
      return settings.cluster().isPresent()
          ? MemberAssembly.start(settings, settings.cluster().get(), config, model, system)
          : LocalAssembly.start(settings, config, model.orElseThrow(), system);
    } catch (RuntimeException | OutOfMemoryError failure) {
      throw explained(settings, unwrapped(failure));
    }
  }

  private static ActorSystem<Void> newSystem(Config config) {
    final ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "stator", config);
    HttpServer.prepare(system);
    return system;
  }

  /** A model's device reads all weights, and checks them; nobody else would. */
  private static LoadedModel openOrTerminate(
      Path model, NodeSettings settings, CompletableFuture<ActorSystem<Void>> system) {
    try {
      return settings.engine() == NodeSettings.Engine.ECHO
          ? ModelFiles.open(model)
          : ModelFiles.openUnread(model);
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

  /** The first cause's words: those around it repeat each other. */
  private static String reason(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null) root = root.getCause();
    return root.getMessage();
  }

  private static NodeStartException explained(NodeSettings settings, Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof BindException) {
        return new NodeStartException(
            "cannot listen on %s:%d (%s); choose another --port"
                .formatted(settings.host(), settings.port(), cause.getMessage()),
            failure);
      }
      if (cause instanceof RemoteTransportException) {
        final ClusterMembership member = settings.cluster().orElseThrow();
        return new NodeStartException(
            "cannot listen for cluster members on %s:%d (%s); choose another --cluster-port"
                .formatted(member.host(), member.port(), reason(cause)),
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
      case IllegalStateException stated when stated.getMessage() != null ->
          new NodeStartException(stated.getMessage(), stated);
      default -> new NodeStartException("the node could not be started: " + failure, failure);
    };
  }
}
