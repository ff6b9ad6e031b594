package dev.stator.model.grammar;

import dev.stator.model.text.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A vocabulary as a tree of bytes, laid out so that a walk in order reads memory in order and a
 * subtree is skipped with one jump. Immutable; any number of threads.
 *
 * <pre>
 *   node      0      1      2      3        in preorder: a node's subtree is [node, end[node])
 *   label     'a'    'b'    'c'    'b'      the byte that leads to it
 *   depth     1      2      3      1        bytes from the root, which is no node
 *   tokens    ids[firstId[node] .. firstId[node + 1])
 * </pre>
 *
 * <p>A control token's bytes are {@link #controlKey}, which no text has in it: UTF-8 knows neither
 * of the bytes around it.
 */
public final class TokenTrie {
  private static final byte CONTROL_BEGIN = (byte) 0xFF;
  private static final byte CONTROL_END = (byte) 0xFE;
  private static final int NODES_A_TOKEN = 3; // Real vocabularies have 2 to 2.5.

  private final Tokenizer tokenizer;
  private final boolean stripsLeadingSpace;
  private final byte[] label;
  private final short[] depth;
  private final int[] end;
  private final int[] firstId;
  private final int[] ids;
  private final int depthMax;

  private TokenTrie(Tokenizer tokenizer, Building built) {
    this.tokenizer = tokenizer;
    this.stripsLeadingSpace = stripsLeadingSpace(tokenizer);
    this.label = Arrays.copyOf(built.label, built.nodeCount);
    this.depth = Arrays.copyOf(built.depth, built.nodeCount);
    this.end = Arrays.copyOf(built.end, built.nodeCount);
    this.firstId = Arrays.copyOf(built.firstId, built.nodeCount + 1);
    this.firstId[built.nodeCount] = built.ids.count();
    this.ids = built.ids.toArray();
    this.depthMax = built.depthMax;
  }

  /** Takes some tenth of a second for 150,000 tokens. */
  public static TokenTrie of(Tokenizer tokenizer) {
    final List<Key> keys =
        IntStream.range(0, tokenizer.vocabularySize())
            .mapToObj(id -> new Key(id, key(tokenizer, id)))
            .filter(Key::isUsable)
            .sorted(
                Comparator.comparing(Key::bytes, Arrays::compareUnsigned)
                    .thenComparing(Key::tokenId))
            .toList();
    final Building building = new Building(NODES_A_TOKEN * keys.size());
    for (Key key : keys) building.add(key);
    building.endPath(0);
    return new TokenTrie(tokenizer, building);
  }

  private record Key(int tokenId, byte[] bytes) {
    boolean isUsable() {
      return bytes.length > 0 && bytes.length < Short.MAX_VALUE;
    }
  }

  /** The bytes that a token is known by here; none for one that no text can have. */
  private static byte[] key(Tokenizer tokenizer, int tokenId) {
    final byte[] bytes = tokenizer.tokenBytes(tokenId);
    if (tokenizer.isSpecial(tokenId)) return controlKey(bytes);
    for (byte value : bytes) {
      if (value == CONTROL_BEGIN || value == CONTROL_END) return new byte[0];
    }
    return bytes;
  }

  static byte[] controlKey(String text) {
    return controlKey(text.getBytes(StandardCharsets.UTF_8));
  }

  private static byte[] controlKey(byte[] text) {
    if (text.length == 0) return text;
    final byte[] key = new byte[text.length + 2];
    key[0] = CONTROL_BEGIN;
    System.arraycopy(text, 0, key, 1, text.length);
    key[text.length + 1] = CONTROL_END;
    return key;
  }

  /** Whether an answer's text lacks the space that its first token begins with. */
  private static boolean stripsLeadingSpace(Tokenizer tokenizer) {
    for (int id = 0; id < tokenizer.vocabularySize(); id++) {
      final byte[] bytes = tokenizer.tokenBytes(id);
      if (bytes.length < 2 || bytes[0] != ' ' || bytes[1] <= ' ' || tokenizer.isSpecial(id))
        continue;
      return !tokenizer.decode(new int[] {id}, true).startsWith(" ");
    }
    return false;
  }

  /** The bytes by which a token advances a grammar; fresh. */
  byte[] key(int tokenId) {
    return key(tokenizer, tokenId);
  }

  boolean stripsLeadingSpace() {
    return stripsLeadingSpace;
  }

  int vocabularySize() {
    return tokenizer.vocabularySize();
  }

  int depthMax() {
    return depthMax;
  }

  int nodeCount() {
    return label.length;
  }

  byte label(int node) {
    return label[node];
  }

  int depth(int node) {
    return depth[node];
  }

  /** The first node behind a node's subtree. */
  int end(int node) {
    return end[node];
  }

  /** Adds a node's tokens to a bit set. */
  void addTokens(int node, long[] mask) {
    for (int i = firstId[node]; i < firstId[node + 1]; i++) mask[ids[i] >> 6] |= 1L << ids[i];
  }

  /** Takes keys in order. */
  private static final class Building {
    byte[] label;
    short[] depth;
    int[] end;
    int[] firstId;
    final IntList ids = new IntList();
    int nodeCount;
    int depthMax;
    private int[] path = new int[64]; // Nodes of the key before, from the root.
    private byte[] last = {};

    Building(int nodes) {
      label = new byte[nodes];
      depth = new short[nodes];
      end = new int[nodes];
      firstId = new int[nodes + 1];
    }

    void add(Key key) {
      final byte[] bytes = key.bytes();
      int shared = Math.max(0, Arrays.mismatch(last, bytes));
      if (Arrays.equals(last, bytes)) shared = bytes.length;
      endPath(shared);
      if (bytes.length > path.length) path = Arrays.copyOf(path, 2 * bytes.length);
      for (int i = shared; i < bytes.length; i++) {
        if (nodeCount == label.length) grow();
        path[i] = nodeCount;
        label[nodeCount] = bytes[i];
        depth[nodeCount] = (short) (i + 1);
        firstId[nodeCount] = ids.count();
        nodeCount++;
      }
      ids.add(key.tokenId());
      last = bytes;
      depthMax = Math.max(depthMax, bytes.length);
    }

    /** No further key goes through the last path's nodes from a depth on. */
    void endPath(int from) {
      for (int i = from; i < last.length; i++) end[path[i]] = nodeCount;
    }

    private void grow() {
      label = Arrays.copyOf(label, 2 * nodeCount + 16);
      depth = Arrays.copyOf(depth, 2 * nodeCount + 16);
      end = Arrays.copyOf(end, 2 * nodeCount + 16);
      firstId = Arrays.copyOf(firstId, 2 * nodeCount + 17);
    }
  }
}
