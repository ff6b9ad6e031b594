package dev.stator.transport.shared;

import dev.stator.transport.local.SharedFolder;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/**
 * Other processes' pools, each mapped once however many lanes post out of it: a mapping's page
 * tables take a five-hundredth of its length.
 *
 * <p><b>Threads:</b> any.
 */
final class MappedPools {
  private record Key(String owner, String name, long bytes) {}

  private static final class Entry {
    private final MappedPool pool;
    private int users;

    Entry(MappedPool pool) {
      this.pool = pool;
    }
  }

  private final SharedFolder folder;
  private final Map<Key, Entry> entries = new HashMap<>(); // Guarded by this.

  MappedPools(SharedFolder folder) {
    this.folder = folder;
  }

  /**
   * A pool to be {@link #release released} once.
   *
   * @param owner the other process's folder
   * @throws IOException as {@link SharedFolder#openPool}
   */
  synchronized MappedPool acquire(String owner, String name, long bytes) throws IOException {
    final Key key = new Key(owner, name, bytes);
    Entry entry = entries.get(key);
    if (entry == null) {
      entry = new Entry(MappedPool.map(folder, owner, name, bytes));
      entries.put(key, entry);
    }
    entry.users++;
    return entry.pool;
  }

  /** Its last user unmaps it. */
  synchronized void release(MappedPool pool) {
    entries
        .values()
        .removeIf(entry -> {
          if (entry.pool != pool || --entry.users > 0) return false;
          pool.close();
          return true;
        });
  }
}
