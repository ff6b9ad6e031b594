package dev.stator.transport.aeron;

import dev.stator.transport.BlockSink;
import dev.stator.transport.wire.FrameFault;
import dev.stator.transport.wire.HelloFlyweight;
import io.aeron.Image;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Function;

/**
 * Takes what writers send to agents of this process over one kind of channel. <b>Threads:</b> the
 * transport's.
 */
final class Listener {
  private final Channels channels;
  private final Station station;
  private final Function<String, BlockSink> sinks;
  private final AeronSettings settings;
  private final Faults faults;
  private final List<Writer> writers = new ArrayList<>();

  private record Writer(Image image, InboundLink link) {}

  Listener(
      Channels channels,
      Station station,
      Function<String, BlockSink> sinks,
      AeronSettings settings,
      Faults faults) {
    this.channels = channels;
    this.station = station;
    this.sinks = sinks;
    this.settings = settings;
    this.faults = faults;
  }

  /** Begins to listen, or again with a new client. */
  void listen() {
    writers.clear();
    channels.listen(station, this::opened, image -> {});
  }

  private void opened(Image image) {
    if (writers.size() >= settings.connectionsMax()) {
      faults.count(FrameFault.TOO_MUCH); // Never read: its writer is pushed back, and gives up.
      return;
    }
    writers.add(new Writer(image, new InboundLink(sinks, hello -> open(image, hello), faults)));
  }

  private Replies open(Image writer, HelloFlyweight hello) {
    return new Replies(
        station.own(),
        channels.repliesTo(writer, hello.replyPort()),
        hello.replyStream(),
        hello.connectionId(),
        faults);
  }

  int doWork(long nowNs) {
    int work = 0;
    for (Iterator<Writer> all = writers.iterator(); all.hasNext(); ) {
      final Writer writer = all.next();
      work += writer.link().doWork(writer.image(), nowNs);
      if (!writer.image().isClosed()) continue;
      writer.link().close();
      all.remove();
    }
    return work;
  }

  int connections() {
    return writers.size();
  }
}
