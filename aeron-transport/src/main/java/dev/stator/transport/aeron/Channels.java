package dev.stator.transport.aeron;

import io.aeron.AvailableImageHandler;
import io.aeron.ChannelUriStringBuilder;
import io.aeron.Image;
import io.aeron.Subscription;
import io.aeron.UnavailableImageHandler;
import java.util.Optional;

/** How connections of one kind are addressed. <b>Threads:</b> the transport's. */
interface Channels {
  /** The longest that Aeron knows, and what a loopback interface carries. */
  int MTU_MAX = 65504;

  /**
   * Streams: hellos, fragments and messages of all writers; each writer's replies have their own.
   */
  int DATA_STREAM = 1;

  int REPLY_STREAM_MIN = 1 << 16;

  /** A reply is short; three terms of this each. */
  int REPLY_TERM_LENGTH = 64 * 1024;

  /** Of the backend. */
  String name();

  /** Subscribes to what writers send here. */
  Subscription listen(
      Station station, AvailableImageHandler opened, UnavailableImageHandler closed);

  /** What writers need to get here; {@code null} before {@link #listen} has succeeded. */
  String endpoint();

  /** Datagrams' length when fragments should fill them; 0 when there are none. */
  int datagramLength();

  /** Where a writer sends to. */
  String data(String endpoint);

  /** Where a writer listens for replies. */
  String replies();

  /** The port of {@link #replies}; 0 when it has none. */
  int replyPort();

  /** Where a receiver sends replies to. */
  String repliesTo(Image writer, int replyPort);

  /** The media driver that a writer's connection uses; empty for our own. */
  Optional<String> foreignDirectory(String endpoint);

  /** A publication's channel that leaves nothing behind when it is closed. */
  static ChannelUriStringBuilder publication(String media, int termLength, int mtu) {
    return new ChannelUriStringBuilder()
        .media(media)
        .termLength(termLength)
        .mtu(mtu)
        .linger(0L)
        .sparse(true);
  }
}
