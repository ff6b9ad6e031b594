package dev.stator.kv.tier;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.kv.BlockHash;
import dev.stator.kv.KvEvent;
import java.util.List;
import org.junit.jupiter.api.Test;

class HostTierTest {
  private static final BlockHash A = new BlockHash(1, 1);
  private static final BlockHash B = new BlockHash(2, 2);
  private static final BlockHash C = new BlockHash(3, 3);
  private static final BlockHash D = new BlockHash(4, 4);

  private final HostTier tier = new HostTier(3);

  private int store(BlockHash parent, BlockHash hash) {
    final int slot = tier.beginStore(parent, hash);
    tier.endStore(slot, true);
    return slot;
  }

  @Test
  void shouldFindABlockOnceItsCopyHasEnded() {
    final int slot = tier.beginStore(null, A);
    assertTrue(tier.knows(A));
    assertEquals(HostTier.NONE, tier.find(A));
    assertEquals(List.of(), tier.drainEvents());
    tier.endStore(slot, true);
    assertEquals(slot, tier.find(A));
    assertEquals(List.of(new KvEvent.Stored(null, List.of(A))), tier.drainEvents());
  }

  @Test
  void shouldForgetWhatWasNotCopiedAndWhatStandsBehindIt() {
    final int first = tier.beginStore(null, A);
    final int second = tier.beginStore(A, B);
    final int third = tier.beginStore(B, C);
    tier.endStore(first, false);
    tier.endStore(second, true);
    tier.endStore(third, true);
    assertFalse(tier.knows(A) || tier.knows(B) || tier.knows(C));
    assertEquals(0, tier.fullCount() + tier.storingCount());
    assertEquals(List.of(), tier.drainEvents());
    assertTrue(store(null, A) != HostTier.NONE);
  }

  @Test
  void shouldEvictTheLeafThatNobodyUsedLongest() {
    store(null, A);
    store(A, B);
    store(null, C);
    tier.use(B);
    tier.drainEvents();
    store(null, D);
    assertEquals(HostTier.NONE, tier.find(C));
    assertEquals(
        List.of(new KvEvent.Removed(List.of(C)), new KvEvent.Stored(null, List.of(D))),
        tier.drainEvents());
    store(null, C);
    assertEquals(HostTier.NONE, tier.find(B), "B goes before A, its parent, and D");
    tier.use(D);
    store(null, B);
    assertEquals(HostTier.NONE, tier.find(A), "a use of B was one of A, before that of D");
  }

  @Test
  void shouldKeepWhatIsBeingReadAndWhatIsBeforeIt() {
    store(null, A);
    final int held = store(A, B);
    tier.hold(held);
    tier.beginStore(null, C);
    assertEquals(HostTier.NONE, tier.beginStore(null, D));
    assertFalse(tier.knows(D));
    tier.forget(B);
    assertEquals(held, tier.find(B));
    tier.letGo(held);
    tier.forget(A); // B is behind it.
    tier.forget(B);
    assertEquals(HostTier.NONE, tier.find(B));
    assertTrue(tier.find(A) != HostTier.NONE);
    assertTrue(tier.beginStore(null, D) != HostTier.NONE);
  }

  @Test
  void shouldRefuseWhatMakesNoSense() {
    assertThrows(IllegalStateException.class, () -> tier.beginStore(A, B));
    final int slot = store(null, A);
    assertThrows(IllegalStateException.class, () -> tier.beginStore(null, A));
    assertThrows(IllegalStateException.class, () -> tier.endStore(slot, true));
    assertThrows(IllegalStateException.class, () -> tier.letGo(slot));
    assertThrows(IllegalArgumentException.class, () -> new HostTier(0));
  }
}
