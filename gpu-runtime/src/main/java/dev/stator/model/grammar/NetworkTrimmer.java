package dev.stator.model.grammar;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Takes the empty edges out of a network, then the states that come to no end; refuses left
 * recursion.
 */
final class NetworkTrimmer {
  /** Edges a state at most has on average; empty edges can multiply them. */
  private static final int EDGES_PER_STATE_MAX = 16;

  private final NetworkBuilder built;
  private final Grammar grammar;
  private final int stateCount;
  private final int edgesMax;
  private final int[] ruleStart;
  private final int[] ruleEnd;

  // Indices into the built edges, by the state they begin at; those of empty edges by closure.
  private final Lists emptyFrom;
  private final Lists bytesFrom;
  private final Lists callsFrom;

  // Without empty edges: by state.
  private final int[][] byteEdgesOf;
  private final int[][] callsOf;
  private final boolean[] ends;
  private int edgeCount;

  NetworkTrimmer(NetworkBuilder built, Grammar grammar, GrammarSettings settings) {
    this.built = built;
    this.grammar = grammar;
    this.stateCount = built.stateCount();
    this.edgesMax = settings.statesMax() * EDGES_PER_STATE_MAX;
    this.ruleStart = built.ruleStarts.toArray();
    this.ruleEnd = built.ruleEnds.toArray();
    this.emptyFrom = new Lists(stateCount, built.emptyEdges, 2, 0);
    this.bytesFrom = new Lists(stateCount, built.byteEdges, 3, 0);
    this.callsFrom = new Lists(stateCount, built.callEdges, 3, 0);
    this.byteEdgesOf = new int[stateCount][];
    this.callsOf = new int[stateCount][];
    this.ends = new boolean[stateCount];
  }

  TransitionNetwork trim() {
    removeEmptyEdges();
    final boolean[] productive = holding(true);
    if (!productive[ruleStart[0]]) {
      throw new ConstraintException("", "no text is allowed by this");
    }
    refuseLeftRecursion(holding(false));
    return new NetworkAssembler(built, ruleStart, ends).assemble(byteEdgesOf, callsOf, productive);
  }

  private void removeEmptyEdges() {
    final boolean[] isEnd = new boolean[stateCount];
    for (int end : ruleEnd) isEnd[end] = true;
    final boolean[] isEntered = entered();
    final int[] seenBy = new int[stateCount];
    Arrays.fill(seenBy, -1);
    final IntList open = new IntList();
    for (int state = 0; state < stateCount; state++) {
      if (!isEntered[state]) continue;
      final IntList bytes = new IntList();
      final IntList calls = new IntList();
      open.add(state);
      seenBy[state] = state;
      while (!open.isEmpty()) {
        final int at = open.removeLast();
        ends[state] |= isEnd[at];
        bytesFrom.addTo(bytes, at);
        callsFrom.addTo(calls, at);
        for (int i = emptyFrom.start[at]; i < emptyFrom.start[at + 1]; i++) {
          final int next = built.emptyEdges.get(2 * emptyFrom.items[i] + 1);
          countEdge();
          if (seenBy[next] == state) continue;
          seenBy[next] = state;
          open.add(next);
        }
      }
      byteEdgesOf[state] = bytes.toArray();
      callsOf[state] = calls.toArray();
      edgeCount += bytes.count() + calls.count();
      countEdge();
    }
  }

  private void countEdge() {
    if (++edgeCount > edgesMax) {
      throw new ConstraintException(
          "",
          "the grammar needs more than %d edges, %d for each of stator.grammar.states-max"
              .formatted(edgesMax, EDGES_PER_STATE_MAX));
    }
  }

  /** States that something other than an empty edge leads to. */
  private boolean[] entered() {
    final boolean[] isEntered = new boolean[stateCount];
    for (int start : ruleStart) isEntered[start] = true;
    for (int i = 1; i < built.byteEdges.count(); i += 3) isEntered[built.byteEdges.get(i)] = true;
    for (int i = 1; i < built.callEdges.count(); i += 3) isEntered[built.callEdges.get(i)] = true;
    return isEntered;
  }

  /**
   * States from which their rule's end can be reached, or, without {@code withBytes}, reached
   * without reading a byte. Backwards from the ends.
   */
  private boolean[] holding(boolean withBytes) {
    final Lists bytesTo = new Lists(stateCount, byteEdgesOf, built.byteEdges, 1);
    final Lists returnsTo = new Lists(stateCount, callsOf, built.callEdges, 1);
    final Lists callers = new Lists(stateCount, callsOf, built.callEdges, 2, ruleStart);
    final boolean[] holds = new boolean[stateCount];
    final IntList open = new IntList();
    for (int state = 0; state < stateCount; state++) {
      if (!ends[state]) continue;
      holds[state] = true;
      open.add(state);
    }
    while (!open.isEmpty()) {
      final int state = open.removeLast();
      if (withBytes) bytesTo.markSources(state, holds, open);
      for (int i = returnsTo.start[state]; i < returnsTo.start[state + 1]; i++) {
        final int call = returnsTo.items[i];
        if (holds[ruleStart[built.callEdges.get(3 * call + 2)]]) {
          mark(returnsTo.sources[i], holds, open);
        }
      }
      for (int i = callers.start[state]; i < callers.start[state + 1]; i++) {
        final int call = callers.items[i];
        if (holds[built.callEdges.get(3 * call + 1)]) mark(callers.sources[i], holds, open);
      }
    }
    return holds;
  }

  private static void mark(int state, boolean[] holds, IntList open) {
    if (holds[state]) return;
    holds[state] = true;
    open.add(state);
  }

  /** Rules are taken away as long as one calls no other at its beginning; a cycle stays. */
  private void refuseLeftRecursion(boolean[] nullable) {
    final int ruleCount = ruleStart.length;
    final List<int[]> begins = new ArrayList<>();
    final int[] uncalled = new int[ruleCount]; // Rules at its beginning that are still there.
    final List<IntList> calledBy = new ArrayList<>();
    for (int rule = 0; rule < ruleCount; rule++) calledBy.add(new IntList());
    for (int rule = 0; rule < ruleCount; rule++) {
      final int[] callees = callsAtBeginning(rule, nullable);
      begins.add(callees);
      uncalled[rule] = callees.length;
      for (int callee : callees) calledBy.get(callee).add(rule);
    }
    final IntList open = new IntList();
    for (int rule = 0; rule < ruleCount; rule++) if (uncalled[rule] == 0) open.add(rule);
    while (!open.isEmpty()) {
      final IntList callers = calledBy.get(open.removeLast());
      for (int i = 0; i < callers.count(); i++) {
        if (--uncalled[callers.get(i)] == 0) open.add(callers.get(i));
      }
    }
    for (int rule = 0; rule < ruleCount; rule++) {
      if (uncalled[rule] > 0) throw leftRecursion(rule, begins, uncalled);
    }
  }

  private int[] callsAtBeginning(int rule, boolean[] nullable) {
    final IntList callees = new IntList();
    final IntList open = new IntList();
    final Set<Integer> known = new HashSet<>();
    open.add(ruleStart[rule]);
    known.add(ruleStart[rule]);
    while (!open.isEmpty()) {
      final int state = open.removeLast();
      for (int call : callsOf[state]) {
        final int callee = built.callEdges.get(3 * call + 2);
        final int behind = built.callEdges.get(3 * call + 1);
        callees.add(callee);
        if (nullable[ruleStart[callee]] && known.add(behind)) open.add(behind);
      }
    }
    return callees.toArray();
  }

  private ConstraintException leftRecursion(int from, List<int[]> begins, int[] uncalled) {
    final boolean[] seen = new boolean[ruleStart.length];
    int rule = from;
    while (!seen[rule]) { // Each that is left begins with another that is left.
      seen[rule] = true;
      for (int callee : begins.get(rule)) {
        if (uncalled[callee] == 0) continue;
        rule = callee;
        break;
      }
    }
    return new ConstraintException(
        "",
        "the rule '%s' is left-recursive: it calls itself before it has read anything"
            .formatted(grammar.rules().get(rule).name()));
  }

  /** Edges by one of their states. */
  private static final class Lists {
    final int[] start;
    final int[] items;
    final int[] sources; // Where the edge begins, if that is not what it is listed by.

    /** By the state at {@code offset} of each edge of {@code width} numbers. */
    Lists(int stateCount, IntList edges, int width, int offset) {
      final int edgeCount = edges.count() / width;
      start = new int[stateCount + 1];
      items = new int[edgeCount];
      sources = items;
      for (int edge = 0; edge < edgeCount; edge++) start[edges.get(edge * width + offset) + 1]++;
      for (int state = 0; state < stateCount; state++) start[state + 1] += start[state];
      final int[] next = start.clone();
      for (int edge = 0; edge < edgeCount; edge++) {
        items[next[edges.get(edge * width + offset)]++] = edge;
      }
    }

    Lists(int stateCount, int[][] edgesOf, IntList edges, int offset) {
      this(stateCount, edgesOf, edges, offset, null);
    }

    /** The edges that are left, by where they lead. */
    Lists(int stateCount, int[][] edgesOf, IntList edges, int offset, int[] named) {
      start = new int[stateCount + 1];
      int count = 0;
      for (int[] list : edgesOf) {
        if (list == null) continue;
        for (int edge : list) {
          start[state(edges, edge, offset, named) + 1]++;
          count++;
        }
      }
      items = new int[count];
      sources = new int[count];
      for (int state = 0; state < stateCount; state++) start[state + 1] += start[state];
      final int[] next = start.clone();
      for (int from = 0; from < stateCount; from++) {
        if (edgesOf[from] == null) continue;
        for (int edge : edgesOf[from]) {
          final int place = next[state(edges, edge, offset, named)]++;
          items[place] = edge;
          sources[place] = from;
        }
      }
    }

    private static int state(IntList edges, int edge, int offset, int[] named) {
      final int value = edges.get(3 * edge + offset);
      return named == null ? value : named[value];
    }

    void addTo(IntList list, int state) {
      for (int i = start[state]; i < start[state + 1]; i++) list.add(items[i]);
    }

    void markSources(int state, boolean[] holds, IntList open) {
      for (int i = start[state]; i < start[state + 1]; i++) mark(sources[i], holds, open);
    }
  }
}
