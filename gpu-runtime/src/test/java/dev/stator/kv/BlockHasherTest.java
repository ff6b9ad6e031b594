package dev.stator.kv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class BlockHasherTest {
  private static final int[] TOKENS = {1, 2, 3, 4, 5, 6, 7, 70000, 9};
  private final BlockHasher hasher = new BlockHasher("cpu-1", 4);

  /** Computed with Python's hashlib and struct from the definition. */
  @Test
  void shouldMatchKnownValues() {
    assertEquals("8a9cf357df26febe0cc8289803c6aab2", hasher.root("tenant").toString());
    assertEquals(
        List.of("794661bd195444c936cb657a0acc92ea", "29f8d13e4aba9c087ba7b4800abce906"),
        hasher.hashAll("tenant", TOKENS).stream().map(BlockHash::toString).toList());
  }

  @Test
  void shouldChain() {
    final BlockHash first = hasher.hash(hasher.root(""), TOKENS, 0);
    final BlockHash second = hasher.hash(first, TOKENS, 4);
    assertEquals(List.of(first, second), hasher.hashAll("", TOKENS));
    assertNotEquals(second, hasher.hash(hasher.root(""), TOKENS, 4));
  }

  @Test
  void shouldDifferWhenSaltFingerprintOrBlockSizeDiffer() {
    final Set<BlockHash> roots = new HashSet<>();
    for (String fingerprint : List.of("", "a", "ab")) {
      for (String salt : List.of("", "b", "ab", "bb")) {
        for (int blockSize : List.of(4, 16)) {
          roots.add(new BlockHasher(fingerprint, blockSize).root(salt));
        }
      }
    }
    assertEquals(24, roots.size());
  }

  @Test
  void shouldDifferWhenAnyTokenDiffers() {
    final Set<BlockHash> hashes = new HashSet<>();
    hashes.add(hasher.hash(hasher.root(""), TOKENS, 0));
    for (int i = 0; i < 4; i++) {
      for (int bit = 0; bit < 31; bit++) {
        final int[] tokens = TOKENS.clone();
        tokens[i] ^= 1 << bit;
        hashes.add(hasher.hash(hasher.root(""), tokens, 0));
      }
    }
    assertEquals(1 + 4 * 31, hashes.size());
  }

  @Test
  void shouldHashNothingWhenNoBlockIsFull() {
    assertEquals(List.of(), hasher.hashAll("", new int[] {1, 2, 3}));
    assertThrows(IllegalArgumentException.class, () -> new BlockHasher("", 0));
  }
}
