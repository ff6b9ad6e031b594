package dev.stator.model.grammar;

/**
 * A grammar's states: edges read a byte, or a whole rule. Immutable; any number of threads.
 *
 * <pre>
 *   edges of state s:   edgeStart[s] .. edgeStart[s + 1]   bytes edgeFirst .. edgeLast lead to edgeTo
 *   calls of state s:   callStart[s] .. callStart[s + 1]   rule callRule, then on with callReturn
 * </pre>
 *
 * <p>Every state can come to its rule's end, no rule calls itself before it has read a byte.
 *
 * @param ends whether a state is an end of its rule
 * @param callReturn {@link #TAIL} where nothing but the end would follow
 * @param ruleStart by rule
 * @param byteClass bytes of one class lie on the same edges, in all states
 * @param classByte one byte of each class
 */
record TransitionNetwork(
    int[] edgeStart,
    byte[] edgeFirst,
    byte[] edgeLast,
    int[] edgeTo,
    int[] callStart,
    int[] callRule,
    int[] callReturn,
    boolean[] ends,
    int[] ruleStart,
    byte[] byteClass,
    byte[] classByte) {
  static final int TAIL = -1;

  int stateCount() {
    return ends.length;
  }

  int classCount() {
    return classByte.length;
  }

  int classOf(byte value) {
    return byteClass[value & 0xFF] & 0xFF;
  }
}
