package dev.stator.multijvm.harness;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * What the scenarios of a run share, since processes take long to start: one server that nothing
 * disturbs, and one cluster that every scenario gives back as it was.
 *
 * <pre>
 *   frontend-1  frontend-2  prefill-1  prefill-2  decode-1  decode-2
 * </pre>
 *
 * Both start when they are first asked for. A test gets the stage as a parameter, see {@link
 * Staged}. One test thread.
 */
public final class Stage implements AutoCloseable {
  /** The order of test classes that need a cluster of their own: behind all others. */
  public static final int OWN_CLUSTER = Integer.MAX_VALUE;

  private static final Path FOLDER =
      Path.of(System.getProperty("stator.root"), "multi-jvm-tests", "target");

  private final Distribution distribution = Distribution.orSkip();
  private QuietRun quiet;
  private TestCluster shared;

  private Stage() {}

  static Stage of(ExtensionContext context) {
    return context
        .getRoot()
        .getStore(ExtensionContext.Namespace.create(Stage.class))
        .getOrComputeIfAbsent(Stage.class, type -> new Stage(), Stage.class);
  }

  /** What one undisturbed process answers: what every cluster must answer, whatever happens. */
  public List<Answer.Bytes> quiet(List<Question> questions) throws Exception {
    if (quiet == null) quiet = QuietRun.start(distribution, FOLDER);
    return quiet.answers(questions);
  }

  /** The shared cluster: whole, and nothing runs. A scenario gives it back so. */
  public TestCluster cluster() throws Exception {
    if (shared != null && !shared.isWhole()) endShared();
    if (shared == null) {
      shared =
          TestCluster.create(distribution, FOLDER)
              .with("frontend", "frontend-1", "frontend-2")
              .with("prefill", "prefill-1", "prefill-2")
              .with("decode", "decode-1", "decode-2")
              .start();
    }
    return shared;
  }

  /**
   * A cluster without nodes, for one scenario, which closes it. The shared one ends, since the
   * machine is small.
   *
   * @param arguments each node gets them
   */
  public TestCluster ownCluster(String... arguments) {
    endShared();
    return TestCluster.create(distribution, FOLDER, arguments);
  }

  /**
   * As {@link #ownCluster}, with nodes on a network's hosts: the first on host 1, and so on. Blocks
   * go over that network.
   */
  public TestCluster ownClusterOn(TestNetwork network) {
    endShared();
    return TestCluster.on(network, distribution, FOLDER, "-Dstator.transport.backends=[udp]");
  }

  /** Tells what the shared cluster's nodes have said, and starts another one for the next test. */
  void onFailure() {
    if (shared != null) System.out.println(shared);
    endShared();
  }

  private void endShared() {
    if (shared != null) shared.close();
    shared = null;
  }

  @Override
  public void close() throws IOException {
    endShared();
    if (quiet != null) quiet.close();
  }
}
