package dev.stator.kv;

import java.util.ArrayList;
import java.util.List;

/**
 * Collects what happened to full blocks; a chain stored in a row, or a row of removals, is one
 * event. One thread.
 */
public final class EventLog {
  private final List<KvEvent> closed = new ArrayList<>();
  private final List<BlockHash> open = new ArrayList<>();
  private boolean openIsStored;
  private BlockHash openParent;

  public void stored(BlockHash parent, BlockHash hash) {
    final boolean continues = !open.isEmpty() && openIsStored && open.getLast().equals(parent);
    if (!continues) {
      close();
      openIsStored = true;
      openParent = parent;
    }
    open.add(hash);
  }

  public void removed(BlockHash hash) {
    if (openIsStored) close();
    openIsStored = false;
    open.add(hash);
  }

  public boolean isEmpty() {
    return closed.isEmpty() && open.isEmpty();
  }

  public List<KvEvent> drain() {
    close();
    final List<KvEvent> events = List.copyOf(closed);
    closed.clear();
    return events;
  }

  private void close() {
    if (!open.isEmpty()) {
      closed.add(openIsStored ? new KvEvent.Stored(openParent, open) : new KvEvent.Removed(open));
      open.clear();
    }
    openIsStored = false;
  }
}
