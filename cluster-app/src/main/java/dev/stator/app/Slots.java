package dev.stator.app;

import com.typesafe.config.Config;
import dev.stator.cli.ClusterMembership;
import dev.stator.cli.NodeSettings;
import dev.stator.cli.NodeSummary;
import dev.stator.cluster.EngineSlot;
import dev.stator.cluster.NodeRole;
import dev.stator.device.Device;
import dev.stator.device.KvMemory;
import dev.stator.device.cpu.CpuDevice;
import dev.stator.engine.Engine;
import dev.stator.engine.EngineSettings;
import dev.stator.engine.LocalEngine;
import dev.stator.model.LoadedModel;
import dev.stator.model.grammar.ConstraintCompiler;
import dev.stator.model.grammar.GrammarSettings;
import dev.stator.model.grammar.TokenTrie;
import dev.stator.protocol.WorkerRole;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntFunction;
import java.util.function.Supplier;

/**
 * A node's engine slots. The first device of each slot is made here, before the actors start, so
 * that its limits are known; a worker that starts again after a failure makes the next one.
 */
final class Slots {
  private record Plan(int slot, String name, Set<WorkerRole> roles, Device firstDevice) {}

  private final LoadedModel model;
  private final Config config;
  private final GrammarSettings grammarSettings;
  private final Supplier<TokenTrie> trie; // Made with the first constraint, for all slots.
  private final IntFunction<Device> devices; // By slot, from 0.
  private final List<Plan> plans = new ArrayList<>();

  private Slots(
      NodeSettings settings,
      LoadedModel model,
      Config config,
      int count,
      KvMemory.Allocator kvMemory) {
    this.model = model;
    this.config = config;
    this.grammarSettings = GrammarSettings.from(config);
    final var madeTrie = new FutureTask<>(() -> TokenTrie.of(model.tokenizer()));
    this.trie =
        () -> {
          madeTrie.run(); // By whoever comes first; the others wait.
          return get(madeTrie);
        };
    this.devices = DeviceFactory.of(settings.engine(), model, config, count, kvMemory);
  }

  /**
   * The slots of a node that is alone. When a device cannot be made, those before it are closed.
   */
  static Slots ofLocalNode(NodeSettings settings, LoadedModel model, Config config) {
    final int count = settings.prefillSlots() + settings.decodeSlots();
    final Slots slots = new Slots(settings, model, config, count, CpuDevice.ownMemory());
    final Set<WorkerRole> decodeRoles =
        settings.prefillSlots() > 0
            ? Set.of(WorkerRole.DECODE)
            : Set.of(WorkerRole.PREFILL, WorkerRole.DECODE);
    return slots.filled(() -> {
      slots.add("prefill-", 1, settings.prefillSlots(), Set.of(WorkerRole.PREFILL));
      slots.add("decode-", 1, settings.decodeSlots(), decodeRoles);
    });
  }

  /**
   * The slots of a cluster's node; each begins with all of the node's worker roles.
   *
   * @param kvMemory where KV blocks lie
   */
  static Slots ofMember(
      NodeSettings settings,
      ClusterMembership member,
      LoadedModel model,
      Config config,
      KvMemory.Allocator kvMemory) {
    final Set<WorkerRole> roles = EnumSet.noneOf(WorkerRole.class);
    if (member.roles().contains(NodeRole.PREFILL)) roles.add(WorkerRole.PREFILL);
    if (member.roles().contains(NodeRole.DECODE)) roles.add(WorkerRole.DECODE);
    final Slots slots = new Slots(settings, model, config, member.slots(), kvMemory);
    return slots.filled(() -> slots.add(member.nodeName() + "/", 0, member.slots(), roles));
  }

  private Slots filled(Runnable filling) {
    try {
      filling.run();
      return this;
    } catch (RuntimeException | Error failure) {
      closeDevices();
      throw failure;
    }
  }

  private void add(String prefix, int first, int count, Set<WorkerRole> roles) {
    for (int i = first; i < first + count; i++) {
      final int slot = plans.size();
      plans.add(new Plan(slot, prefix + i, roles, devices.apply(slot)));
    }
  }

  /** Closes devices that no worker has taken over. */
  void closeDevices() {
    for (Plan plan : plans) plan.firstDevice.close();
  }

  /** For the node; from here on the workers close the devices. */
  List<EngineSlot> engineSlots() {
    return plans.stream()
        .map(plan -> new EngineSlot(plan.name, plan.roles, engines(plan)))
        .toList();
  }

  private static TokenTrie get(FutureTask<TokenTrie> made) {
    try {
      return made.get();
    } catch (ExecutionException failure) {
      throw new IllegalStateException(failure.getCause());
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(interrupted);
    }
  }

  private Supplier<Engine> engines(Plan plan) {
    final AtomicReference<Device> unused = new AtomicReference<>(plan.firstDevice);
    return () -> {
      final Device prepared = unused.getAndSet(null);
      final Device device = prepared != null ? prepared : devices.apply(plan.slot);
      return new LocalEngine(
          device,
          engineSettings(device),
          model.defaults().endTokenIds(),
          new ConstraintCompiler(trie, grammarSettings, ForkJoinPool.commonPool()));
    };
  }

  private EngineSettings engineSettings(Device device) {
    return EngineSettings.from(config, device.stepTokensWanted());
  }

  /** Prompt and answer tokens together at most: what the smallest slot can hold. */
  int contextLength() {
    long length = Integer.MAX_VALUE;
    for (Plan plan : plans) {
      final Device device = plan.firstDevice;
      final long blocks = Math.min(device.blockCount(), engineSettings(device).requestBlocksMax());
      length =
          Math.min(
              length, Math.min(device.contextLength(), blocks * device.kvLayout().blockSize()));
    }
    return (int) length;
  }

  List<NodeSummary.Slot> summaries() {
    return plans.stream()
        .map(plan ->
            new NodeSummary.Slot(
                phases(plan.roles), plan.firstDevice.description(), plan.firstDevice.memoryPlan()))
        .toList();
  }

  private static String phases(Set<WorkerRole> roles) {
    if (roles.size() > 1) return "prefill + decode";
    return roles.contains(WorkerRole.PREFILL) ? "prefill" : "decode";
  }
}
