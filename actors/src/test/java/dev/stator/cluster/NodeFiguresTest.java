package dev.stator.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stator.worker.RouterStats;
import dev.stator.worker.StatsBoard;
import dev.stator.worker.TransferFigures;
import org.junit.jupiter.api.Test;

class NodeFiguresTest {
  private static final long REBUILT_NS = 250;

  private final StatsBoard board = new StatsBoard(() -> TransferFigures.NONE);
  private final NodeFigures figures = new NodeFigures(board);

  @Test
  void shouldRebuildAsLongAsOneOfItsRoutersDoes() {
    figures.router("first", rebuilt(REBUILT_NS));
    assertEquals(REBUILT_NS, board.router().rebuildNs());
    figures.router("second", rebuilt(RouterStats.REBUILDING));
    assertEquals(RouterStats.REBUILDING, board.router().rebuildNs());
    figures.router("second", rebuilt(2 * REBUILT_NS));
    assertEquals(2 * REBUILT_NS, board.router().rebuildNs());
  }

  @Test
  void shouldForgetARouterThatHasLeft() {
    figures.router("first", rebuilt(REBUILT_NS));
    figures.router("second", rebuilt(2 * REBUILT_NS));
    figures.routerLeft("second");
    assertEquals(rebuilt(REBUILT_NS), board.router());
    figures.routerLeft("first");
    assertEquals(RouterStats.NONE, board.router());
  }

  private static RouterStats rebuilt(long ns) {
    return new RouterStats(1, 0, 0, 0, 0, 0, 0, 0, 0, ns);
  }
}
