package dev.stator.model.grammar;

/** Lays out what is left of a network, and finds which bytes are never told apart. */
final class NetworkAssembler {
  private static final int BYTES = 256;

  private final NetworkBuilder built;
  private final int[] ruleStart;
  private final boolean[] ends;

  NetworkAssembler(NetworkBuilder built, int[] ruleStart, boolean[] ends) {
    this.built = built;
    this.ruleStart = ruleStart;
    this.ends = ends;
  }

  /**
   * @param byteEdgesOf indices of edges by state; {@code null} for states that are not needed
   */
  TransitionNetwork assemble(int[][] byteEdgesOf, int[][] callsOf, boolean[] productive) {
    final int stateCount = ends.length;
    final int[] edgeStart = new int[stateCount + 1];
    final int[] callStart = new int[stateCount + 1];
    final IntList edges = new IntList();
    final IntList calls = new IntList();
    for (int state = 0; state < stateCount; state++) {
      if (byteEdgesOf[state] != null && productive[state]) {
        for (int edge : byteEdgesOf[state]) {
          if (productive[built.byteEdges.get(3 * edge + 1)]) edges.add(edge);
        }
        for (int call : callsOf[state]) {
          final boolean comesBack = productive[ruleStart[built.callEdges.get(3 * call + 2)]];
          if (comesBack && productive[built.callEdges.get(3 * call + 1)]) calls.add(call);
        }
      }
      edgeStart[state + 1] = edges.count();
      callStart[state + 1] = calls.count();
    }
    final byte[] edgeFirst = new byte[edges.count()];
    final byte[] edgeLast = new byte[edges.count()];
    final int[] edgeTo = new int[edges.count()];
    for (int i = 0; i < edgeTo.length; i++) {
      final int range = built.byteEdges.get(3 * edges.get(i) + 2);
      edgeFirst[i] = (byte) (range >> 8);
      edgeLast[i] = (byte) range;
      edgeTo[i] = built.byteEdges.get(3 * edges.get(i) + 1);
    }
    final int[] callRule = new int[calls.count()];
    final int[] callReturn = new int[calls.count()];
    for (int i = 0; i < callRule.length; i++) {
      final int behind = built.callEdges.get(3 * calls.get(i) + 1);
      callRule[i] = built.callEdges.get(3 * calls.get(i) + 2);
      final boolean isTail =
          ends[behind]
              && edgeStart[behind] == edgeStart[behind + 1]
              && callStart[behind] == callStart[behind + 1];
      callReturn[i] = isTail ? TransitionNetwork.TAIL : behind;
    }
    final byte[] byteClass = classes(edgeFirst, edgeLast);
    return new TransitionNetwork(
        edgeStart,
        edgeFirst,
        edgeLast,
        edgeTo,
        callStart,
        callRule,
        callReturn,
        ends,
        ruleStart,
        byteClass,
        classBytes(byteClass));
  }

  /** A new class begins wherever a range begins or has ended; a space is always alone. */
  private static byte[] classes(byte[] edgeFirst, byte[] edgeLast) {
    final boolean[] begins = new boolean[BYTES + 1];
    begins[' '] = true;
    begins[' ' + 1] = true;
    for (int i = 0; i < edgeFirst.length; i++) {
      begins[edgeFirst[i] & 0xFF] = true;
      begins[(edgeLast[i] & 0xFF) + 1] = true;
    }
    final byte[] byteClass = new byte[BYTES];
    int next = 0;
    for (int value = 0; value < BYTES; value++) {
      if (value > 0 && begins[value]) next++;
      byteClass[value] = (byte) next;
    }
    return byteClass;
  }

  private static byte[] classBytes(byte[] byteClass) {
    final byte[] classByte = new byte[(byteClass[BYTES - 1] & 0xFF) + 1];
    for (int value = 0; value < BYTES; value++) classByte[byteClass[value] & 0xFF] = (byte) value;
    return classByte;
  }
}
