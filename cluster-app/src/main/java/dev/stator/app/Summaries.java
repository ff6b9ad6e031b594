package dev.stator.app;

import dev.stator.cli.NodeSummary;
import dev.stator.model.LoadedModel;
import dev.stator.model.ModelSummary;
import dev.stator.request.ServedModel;
import java.net.URI;
import java.util.List;

/** What a node says of itself at its start. */
final class Summaries {
  private Summaries() {}

  static NodeSummary.Model model(LoadedModel model, ServedModel served) {
    final ModelSummary what = ModelSummary.of(model, "", List.of());
    final String types =
        what.tensorTypes().stream()
            .max((a, b) -> Long.compare(a.byteCount(), b.byteCount()))
            .map(use -> use.type().name())
            .orElse("");
    return new NodeSummary.Model(
        served.name(),
        model.source(),
        model.format() + " " + types,
        model.config().architecture(),
        what.parameterCount(),
        served.contextLength());
  }

  static URI address(String host, int port) {
    return URI.create("http://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + port);
  }
}
