package dev.stator.model.grammar;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads answers by a grammar and knows which tokens may follow. A pushdown automaton made
 * deterministic as it is used: what follows a {@link Configuration} by a byte, and which tokens it
 * allows, is found once and kept.
 *
 * <p>What is allowed depends on the grammar, the vocabulary, the settings and the answer alone, not
 * on what was kept.
 *
 * <p><b>Threads:</b> one at a time.
 */
public final class Automaton {
  private static final int CONFIGURATION_BYTES = 128;
  private static final int READING_BYTES = 32;
  private static final int POINTER_BYTES = 4;
  private static final int SHARE = 4; // One grammar's of what all may hold.

  private record StackKey(int returnState, Stack below) {}

  /** States and numbers of stacks in turn; compared as a whole. */
  private record ConfigurationKey(int[] content, boolean isComplete) {
    @Override
    public boolean equals(Object other) {
      return other instanceof ConfigurationKey that
          && isComplete == that.isComplete
          && Arrays.equals(content, that.content);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(content);
    }
  }

  private final TransitionNetwork network;
  private final TokenTrie trie;
  private final int stackMax;
  private final int readingsMax;
  private final int walkMax;
  private final long heldBytesMax;
  private final int maskLength;
  private final Configuration[] path; // Of a walk, by depth.

  private final Map<StackKey, Stack> stacks = new HashMap<>();
  private final Map<ConfigurationKey, Configuration> configurations = new HashMap<>();
  private int generation;
  private long heldBytes;
  private Configuration dead;
  private Configuration start;

  Automaton(TransitionNetwork network, TokenTrie trie, GrammarSettings settings) {
    this.network = network;
    this.trie = trie;
    this.stackMax = settings.stackMax();
    this.readingsMax = settings.readingsMax();
    this.walkMax = settings.walkMax();
    this.heldBytesMax = settings.cacheBytesMax() / SHARE;
    this.maskLength = (trie.vocabularySize() + 63) / 64;
    this.path = new Configuration[trie.depthMax() + 1];
    forget();
  }

  /** Whether nothing more is kept until the next {@link #forget}. */
  boolean isFull() {
    return heldBytes > heldBytesMax;
  }

  /** Bytes of what was learnt since the last {@link #forget}. */
  long heldBytes() {
    return heldBytes;
  }

  /** Forgets all that was learnt; answers go on as before. */
  void forget() {
    stacks.clear();
    configurations.clear();
    generation++;
    heldBytes = 0;
    dead = intern(new Readings());
    final Readings readings = new Readings();
    readings.enter(network.ruleStart()[0], Stack.BOTTOM);
    start = withoutLeadingSpace(intern(readings));
  }

  /**
   * Where a text's first space is not shown, the grammar reads what comes behind it; a text without
   * one begins as it is.
   */
  private Configuration withoutLeadingSpace(Configuration begin) {
    if (!trie.stripsLeadingSpace()) return begin;
    final Configuration skipping =
        new Configuration(
            begin.states, begin.stacks, begin.isComplete, true, generation, network.classCount());
    for (int i = 0; i < network.classCount(); i++) {
      final byte value = network.classByte()[i];
      skipping.next[i] = value == ' ' ? begin : next(begin, value);
    }
    return skipping;
  }

  /** Where an empty answer stands. */
  Configuration start() {
    return start;
  }

  /** The same configuration, as it is known since the last {@link #forget}. */
  Configuration current(Configuration configuration) {
    if (configuration.generation == generation) return configuration;
    if (configuration.skipsSpace) return start;
    final Readings readings = new Readings();
    for (int i = 0; i < configuration.states.length; i++) {
      readings.enter(configuration.states[i], again(configuration.stacks[i]));
    }
    readings.isComplete |= configuration.isComplete;
    return intern(readings);
  }

  private Stack again(Stack stack) {
    final List<Stack> frames = new ArrayList<>(stack.height());
    for (Stack frame = stack; !frame.isBottom(); frame = frame.below()) frames.add(frame);
    Stack again = Stack.BOTTOM;
    for (Stack frame : frames.reversed()) again = push(frame.returnState(), again);
    return again;
  }

  /** Where the answer stands behind one more token; {@code null} when it may not be there. */
  Configuration after(Configuration configuration, int tokenId) {
    final byte[] key = trie.key(tokenId);
    if (key.length == 0) return null;
    Configuration at = configuration;
    for (byte value : key) {
      at = next(at, value);
      if (at == dead) return null;
    }
    return at;
  }

  /**
   * The tokens that may follow: a bit each; not to be changed. {@code null} when the ways to read
   * all of them are too many.
   */
  long[] mask(Configuration configuration) {
    if (configuration.mask == null) {
      configuration.mask = walk(configuration);
      heldBytes += (long) maskLength * Long.BYTES;
    }
    return configuration.mask;
  }

  private long[] walk(Configuration from) {
    final long[] mask = new long[maskLength];
    path[0] = from;
    final int nodeCount = trie.nodeCount();
    int node = 0;
    long readings = 0;
    while (node < nodeCount) {
      final int depth = trie.depth(node);
      final Configuration at = next(path[depth - 1], trie.label(node));
      if (at == dead) {
        node = trie.end(node);
        continue;
      }
      path[depth] = at;
      readings += at.states.length;
      if (readings > walkMax) return null;
      trie.addTokens(node, mask);
      node++;
    }
    Arrays.fill(path, null);
    return mask;
  }

  private Configuration next(Configuration from, byte value) {
    final int byteClass = network.classOf(value);
    final Configuration known = from.next[byteClass];
    if (known != null) return known;
    final Readings readings = new Readings();
    final int[] edgeStart = network.edgeStart();
    final int unsigned = value & 0xFF;
    for (int i = 0; i < from.states.length; i++) {
      final int state = from.states[i];
      for (int edge = edgeStart[state]; edge < edgeStart[state + 1]; edge++) {
        if (unsigned < (network.edgeFirst()[edge] & 0xFF)) continue;
        if (unsigned > (network.edgeLast()[edge] & 0xFF)) continue;
        readings.enter(network.edgeTo()[edge], from.stacks[i]);
      }
    }
    final Configuration found = intern(readings);
    if (!isFull()) from.next[byteClass] = found;
    return found;
  }

  private Stack push(int returnState, Stack below) {
    final StackKey key = new StackKey(returnState, below);
    final Stack known = stacks.get(key);
    if (known != null) return known;
    final Stack stack = new Stack(stacks.size() + 1, returnState, below);
    stacks.put(key, stack);
    heldBytes += CONFIGURATION_BYTES;
    return stack;
  }

  private Configuration intern(Readings readings) {
    if (readings.isTooMany()) return dead;
    final Reading[] sorted = readings.waiting.toArray(Reading[]::new);
    Arrays.sort(sorted);
    final int[] content = new int[2 * sorted.length];
    for (int i = 0; i < sorted.length; i++) {
      content[2 * i] = sorted[i].state;
      content[2 * i + 1] = sorted[i].stack.number();
    }
    final ConfigurationKey key = new ConfigurationKey(content, readings.isComplete);
    final Configuration known = configurations.get(key);
    if (known != null) return known;
    final Configuration made =
        new Configuration(
            Arrays.stream(sorted).mapToInt(Reading::state).toArray(),
            Arrays.stream(sorted).map(Reading::stack).toArray(Stack[]::new),
            readings.isComplete,
            false,
            generation,
            network.classCount());
    if (isFull()) return made;
    configurations.put(key, made);
    heldBytes +=
        CONFIGURATION_BYTES
            + (long) READING_BYTES * sorted.length
            + (long) POINTER_BYTES * network.classCount();
    return made;
  }

  /** One way to read an answer's beginning. */
  private record Reading(int state, Stack stack) implements Comparable<Reading> {
    @Override
    public int compareTo(Reading other) {
      final int byState = Integer.compare(state, other.state);
      return byState != 0 ? byState : Integer.compare(stack.number(), other.stack.number());
    }
  }

  /** All readings that some lead to without a further byte. */
  private final class Readings {
    private final Set<Reading> seen = new HashSet<>();
    private final Deque<Reading> open = new ArrayDeque<>();
    final List<Reading> waiting = new ArrayList<>(); // For a byte.
    boolean isComplete;

    boolean isTooMany() {
      return seen.size() > readingsMax;
    }

    void enter(int state, Stack stack) {
      visit(state, stack);
      while (!open.isEmpty() && !isTooMany()) {
        final Reading reading = open.pop();
        if (network.ends()[reading.state]) leave(reading.stack);
        final int[] edgeStart = network.edgeStart();
        if (edgeStart[reading.state] < edgeStart[reading.state + 1]) waiting.add(reading);
        call(reading);
      }
    }

    private void visit(int state, Stack stack) {
      final Reading reading = new Reading(state, stack);
      if (seen.add(reading)) open.push(reading);
    }

    private void leave(Stack stack) {
      if (stack.isBottom()) isComplete = true;
      else visit(stack.returnState(), stack.below());
    }

    private void call(Reading reading) {
      final int[] callStart = network.callStart();
      for (int call = callStart[reading.state]; call < callStart[reading.state + 1]; call++) {
        final int start = network.ruleStart()[network.callRule()[call]];
        final int back = network.callReturn()[call];
        if (back == TransitionNetwork.TAIL) visit(start, reading.stack);
        else if (reading.stack.height() < stackMax) visit(start, push(back, reading.stack));
      }
    }
  }
}
