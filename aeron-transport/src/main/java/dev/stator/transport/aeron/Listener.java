package dev.stator.transport.aeron;

import dev.stator.transport.BlockSink;
import dev.stator.transport.wire.FrameFault;
import dev.stator.transport.wire.HelloFlyweight;
import io.aeron.Image;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * Takes what writers send to agents of this process over one kind of channel. <b>Threads:</b> the
 * transport's.
 */
final class Listener {
  private final Channels channels;
  private final Station station;
  private final Map<String, BlockSink> sinks;
  private final AeronSettings settings;
  private final Faults faults;
  private final List<InboundLink> links = new ArrayList<>();

  Listener(
      Channels channels,
      Station station,
      Map<String, BlockSink> sinks,
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
    links.clear();
    channels.listen(station, this::opened, image -> {});
  }

  private void opened(Image image) {
    if (links.size() >= settings.connectionsMax()) {
      faults.count(FrameFault.TOO_MUCH); // Never read: its writer is pushed back, and gives up.
      return;
    }
    links.add(new InboundLink(image, sinks, this::open, faults));
  }

  private Replies open(Image writer, HelloFlyweight hello) {
    return new Replies(
        station.own(),
        channels.repliesTo(writer, hello.replyPort()),
        hello.replyStream(),
        hello.connectionId(),
        faults);
  }

  int doWork() {
    int work = 0;
    for (Iterator<InboundLink> all = links.iterator(); all.hasNext(); ) {
      final InboundLink link = all.next();
      work += link.doWork();
      if (!link.image().isClosed()) continue;
      link.close();
      all.remove();
    }
    return work;
  }

  int connections() {
    return links.size();
  }
}
