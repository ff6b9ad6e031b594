package dev.stator.cli.cluster;

import dev.stator.cli.CliContext;
import dev.stator.cli.CommandException;
import dev.stator.cli.EngineOptions;
import dev.stator.cli.ModelLocator;
import dev.stator.cli.UsageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Decides how a cluster of this machine is started, so that its nodes share the machine: GPUs,
 * threads and heap of all nodes together are what one server alone would take, and there is room
 * for the KV memory of all engines.
 */
final class ClusterPlanner {
  private static final String LOOPBACK = "127.0.0.1";
  private static final Path SHARED_MEMORY = Path.of("/dev/shm");
  private static final int NODES_MAX = 256;
  private static final long HEAP_BYTES_MIN = 256L << 20;

  /**
   * The least that {@code auto} takes in {@code stator.device.cpu.kv-bytes}; here also the most.
   */
  private static final long KV_BYTES_MAX = 512L << 20;

  private static final long KV_BYTES_MIN = 1L << 20;

  /** What the user asked for. */
  record Wanted(
      int prefill,
      int decode,
      int frontend,
      int slots,
      String host,
      int port,
      String model,
      String modelName,
      EngineOptions engine) {
    Wanted {
      requireRange("--prefill", prefill, 0);
      requireRange("--decode", decode, 1);
      requireRange("--frontend", frontend, 1);
      requireRange("--slots", slots, 1);
      if (port < 0 || port > 65_535) {
        throw new UsageException("--port must be between 0 and 65535: " + port);
      }
      if (port + frontend - 1 > 65_535) {
        throw new UsageException("--port leaves no room for %d frontends".formatted(frontend));
      }
    }

    private static void requireRange(String option, int value, int min) {
      if (value < min || value > NODES_MAX) {
        throw new UsageException(
            "%s must be between %d and %d: %d".formatted(option, min, NODES_MAX, value));
      }
    }

    int workers() {
      return prefill + decode;
    }

    int nodes() {
      return workers() + frontend;
    }
  }

  private final CliContext context;
  private final ClusterFolder folder;
  private final Wanted wanted;
  private final RandomGenerator random;

  ClusterPlanner(CliContext context, ClusterFolder folder, Wanted wanted, RandomGenerator random) {
    this.context = context;
    this.folder = folder;
    this.wanted = wanted;
    this.random = random;
  }

  /**
   * @throws CommandException when the model is not there, or a port is taken
   */
  ClusterPlan plan() {
    final Path model = new ModelLocator(context.home()).locate(wanted.model());
    wanted.engine().effective(context); // Refuses a broken configuration here, not in every log.
    final List<String> contacts =
        Ports.free(LOOPBACK, wanted.nodes(), random).stream()
            .map(port -> LOOPBACK + ":" + port)
            .toList();
    final List<NodePlan> nodes = new ArrayList<>();
    for (int i = 1; i <= wanted.frontend(); i++) {
      nodes.add(frontend(i, contacts, nodes.size()));
    }
    for (int i = 1; i <= wanted.prefill(); i++) {
      nodes.add(worker("prefill-" + i, "prefill", model, contacts, nodes.size()));
    }
    final String decodeRole = wanted.prefill() == 0 ? "prefill,decode" : "decode";
    for (int i = 1; i <= wanted.decode(); i++) {
      nodes.add(worker("decode-" + i, decodeRole, model, contacts, nodes.size()));
    }
    return new ClusterPlan(folder.name(), javaOptions(), contacts, nodes);
  }

  private NodePlan frontend(int number, List<String> contacts, int index) {
    final int port = wanted.port() == 0 ? 0 : wanted.port() + number - 1;
    if (port != 0 && !Ports.isFree(wanted.host(), port)) {
      throw new CommandException(
          "port %d of %s is in use; choose another --port".formatted(port, wanted.host()));
    }
    final String name = "frontend-" + number;
    final List<String> words = member(name, "frontend", contacts, index);
    words.addAll(List.of("--host", wanted.host(), "--port", Integer.toString(port)));
    words.addAll(wanted.engine().toArguments());
    return new NodePlan(name, "frontend", true, words);
  }

  private NodePlan worker(String name, String role, Path model, List<String> contacts, int index) {
    final List<String> words = member(name, role, contacts, index);
    words.addAll(List.of("--host", LOOPBACK, "--port", "0"));
    words.addAll(List.of("--slots", Integer.toString(wanted.slots())));
    final int engines = wanted.workers() * wanted.slots();
    final int firstEngine = (index - wanted.frontend()) * wanted.slots();
    words.add("-Dstator.device.cuda.machine-engines=" + engines);
    words.add("-Dstator.device.cuda.first-engine=" + firstEngine);
    words.addAll(wanted.engine().toArguments());
    if (!wanted.engine().hasThreads()) words.addAll(List.of("--threads", threads()));
    if (!wanted.engine().hasKvSize(context)) words.addAll(List.of("--kv-memory", kvMemory()));
    if (wanted.modelName() != null) words.addAll(List.of("--model-name", wanted.modelName()));
    words.add(model.toString());
    return new NodePlan(name, role, false, words);
  }

  /** Every node may be the first one again, when all others have ended: it knows them all. */
  private List<String> member(String name, String role, List<String> contacts, int index) {
    final String self = contacts.get(index);
    final List<String> words = new ArrayList<>();
    if (index == 0) {
      words.addAll(List.of("seed", NodePlan.PEERS, String.join(",", contacts)));
    } else {
      words.addAll(List.of("join", String.join(",", contacts)));
    }
    words.addAll(List.of("--role", role, "--name", name));
    words.addAll(List.of("--cluster-host", LOOPBACK));
    words.addAll(List.of("--cluster-port", self.substring(self.lastIndexOf(':') + 1)));
    words.addAll(List.of("--state-file", folder.stateFile(name).toString()));
    words.add("-Dstator.log.level=INFO"); // Nobody looks on; the user's options come later and win.
    return words;
  }

  /** The processors, shared among the engines. */
  private String threads() {
    final int processors = Runtime.getRuntime().availableProcessors();
    return Integer.toString(Math.max(1, processors / (wanted.workers() * wanted.slots())));
  }

  /**
   * Of each engine. All of them together take what this process's heap might take, which is a
   * quarter of the machine's memory, and half of what shared memory has left, at most.
   */
  private String kvMemory() {
    final int engines = wanted.workers() * wanted.slots();
    final long room = Math.min(Runtime.getRuntime().maxMemory(), sharedMemoryBytes() / 2);
    return Long.toString(Math.max(KV_BYTES_MIN, Math.min(KV_BYTES_MAX, room / engines)));
  }

  private static long sharedMemoryBytes() {
    try {
      return Files.isDirectory(SHARED_MEMORY)
          ? Files.getFileStore(SHARED_MEMORY).getUsableSpace()
          : Long.MAX_VALUE;
    } catch (IOException unknown) {
      return Long.MAX_VALUE;
    }
  }

  /**
   * A collector without threads of its own, since the heaps are small and the processors few; the
   * compiler stays whole, because engines live by it. The heaps together may grow to what this
   * process alone might take.
   */
  private List<String> javaOptions() {
    final long heap = Math.max(HEAP_BYTES_MIN, Runtime.getRuntime().maxMemory() / wanted.nodes());
    return List.of("-XX:-UseG1GC", "-XX:+UseSerialGC", "-Xmx" + (heap >> 20) + "m");
  }
}
