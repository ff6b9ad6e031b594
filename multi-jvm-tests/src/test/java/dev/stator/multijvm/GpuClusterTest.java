package dev.stator.multijvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.multijvm.harness.Answer;
import dev.stator.multijvm.harness.ClusterLook;
import dev.stator.multijvm.harness.EmulatedGpu;
import dev.stator.multijvm.harness.Load;
import dev.stator.multijvm.harness.Question;
import dev.stator.multijvm.harness.Stage;
import dev.stator.multijvm.harness.Staged;
import dev.stator.multijvm.harness.TestCluster;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nodes with a GPU each, as far as a machine without one can tell. */
@Staged
@Order(Stage.OWN_CLUSTER)
class GpuClusterTest {
  private static final List<Question> QUESTIONS = Question.longStories(900, 2, 20, 8);
  private static final String[] SMALL = {
    "-Dstator.device.kind=cuda",
    "-Dstator.device.cuda.block-count=64",
    "-Dstator.device.cuda.context-length=512",
    "-Dstator.device.cuda.step-tokens-max=64",
    "-Dstator.device.cuda.attention-bytes=1MiB",
    "-Dstator.device.cuda.staging-bytes=1MiB",
    "-Dstator.device.cuda.host-blocks=4",
    "-Dstator.router.remote-prefill-min-tokens=32",
  };

  @Test
  void shouldAnswerAsOneGpuDoesWithBlocksThatGoFromGpuToGpu(Stage stage, @TempDir Path folder)
      throws Exception {
    final EmulatedGpu gpu = EmulatedGpu.orSkip(folder);
    final List<Answer.Bytes> alone;
    try (TestCluster cluster = stage.ownCluster(SMALL).on(gpu).with("all", "all-1").start()) {
      assertTrue(cluster.toString().contains("Stub GPU 0"), cluster::toString);
      alone = answers(cluster, "all-1");
    }
    try (TestCluster cluster =
        stage
            .ownCluster(SMALL)
            .on(gpu)
            .with("frontend", "frontend-1")
            .with("prefill", "prefill-1")
            .with("decode", "decode-1")
            .start()) {
      assertEquals(alone, answers(cluster, "frontend-1"), cluster::toString);
      cluster.await(
          "frontend-1",
          "blocks have gone from GPU to GPU",
          view ->
              ClusterLook.node(view, "prefill-1")
                      .at("/transfer/routes/decode-1")
                      .asText()
                      .equals("device-ipc")
                  && ClusterLook.sumOverSlots(view, "/received_bytes") > 0);
      cluster.awaitNothingHeld("frontend-1");
    }
  }

  private static List<Answer.Bytes> answers(TestCluster cluster, String frontend) {
    try (Load load = Load.start(cluster.address(frontend), QUESTIONS)) {
      return load.bytes();
    }
  }
}
