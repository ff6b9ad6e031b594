package dev.stator.transport.aeron;

import io.aeron.AvailableImageHandler;
import io.aeron.ChannelUriStringBuilder;
import io.aeron.CommonContext;
import io.aeron.Image;
import io.aeron.Subscription;
import io.aeron.UnavailableImageHandler;
import io.aeron.exceptions.AeronException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.StandardSocketOptions;
import java.nio.channels.DatagramChannel;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Across hosts, unicast; each side through a media driver of its own. */
final class UdpChannels implements Channels {
  static final String NAME = "udp";

  /** Fits every network in use, tunnels included. */
  static final int MTU_SAFE = 1408;

  private static final Logger LOG = LoggerFactory.getLogger(UdpChannels.class);
  private static final int LISTEN_ATTEMPTS = 5;
  private static final int HEADERS_LENGTH = 48; // IPv6 and UDP.
  private static final int FRAME_ALIGNMENT = 32;

  private final AeronSettings settings;
  private final AeronSettings.Udp udp;
  private int port;
  private int bufferLength;
  private int mtu;
  private boolean isListening;

  UdpChannels(AeronSettings settings) {
    this.settings = settings;
    this.udp = settings.udp();
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Subscription listen(
      Station station, AvailableImageHandler opened, UnavailableImageHandler closed) {
    for (int attempt = 1; ; attempt++) {
      if (port == 0) probe();
      try {
        final Subscription data = station.subscribe(replies(), DATA_STREAM, opened, closed);
        isListening = true;
        return data;
      } catch (AeronException taken) { // Somebody took the port since it was probed.
        if (udp.port() != 0 || attempt == LISTEN_ATTEMPTS) throw taken;
        port = 0;
      }
    }
  }

  /** Finds the port, and what the kernel allows. */
  private void probe() {
    try (DatagramChannel socket = DatagramChannel.open()) {
      final InetAddress host = InetAddress.getByName(udp.host());
      socket.setOption(StandardSocketOptions.SO_RCVBUF, udp.socketBufferLength());
      socket.setOption(StandardSocketOptions.SO_SNDBUF, udp.socketBufferLength());
      bufferLength =
          Math.min(
              socket.getOption(StandardSocketOptions.SO_RCVBUF),
              socket.getOption(StandardSocketOptions.SO_SNDBUF));
      mtu = udp.mtu() > 0 ? udp.mtu() : interfaceMtu(host);
      socket.bind(new InetSocketAddress(host, udp.port()));
      port = ((InetSocketAddress) socket.getLocalAddress()).getPort();
    } catch (IOException refused) {
      throw new UncheckedIOException(
          "UDP cannot be received at " + udp.host() + ":" + udp.port(), refused);
    }
    if (bufferLength < udp.socketBufferLength()) {
      LOG.warn(
          "The kernel allows UDP sockets {} of the {} bytes of buffer asked for (net.core.rmem_max,"
              + " net.core.wmem_max); transfers over UDP will be slower",
          bufferLength,
          udp.socketBufferLength());
    }
  }

  private static int interfaceMtu(InetAddress host) throws IOException {
    final NetworkInterface carrier = NetworkInterface.getByInetAddress(host);
    if (carrier == null) return MTU_SAFE;
    final int payload = Math.min(MTU_MAX, carrier.getMTU() - HEADERS_LENGTH);
    return Math.max(MTU_SAFE, payload - payload % FRAME_ALIGNMENT);
  }

  @Override
  public String endpoint() {
    return isListening ? at(udp.host(), port) : null;
  }

  @Override
  public int datagramLength() {
    return mtu;
  }

  @Override
  public String data(String endpoint) {
    return withBuffers(
            Channels.publication(CommonContext.UDP_MEDIA, udp.termLength(), mtu).endpoint(endpoint))
        .build();
  }

  @Override
  public String replies() {
    return withBuffers(
            new ChannelUriStringBuilder()
                .media(CommonContext.UDP_MEDIA)
                .endpoint(at(udp.host(), port)))
        .receiverWindowLength(windowLength())
        .build();
  }

  private ChannelUriStringBuilder withBuffers(ChannelUriStringBuilder channel) {
    return channel.socketRcvbufLength(bufferLength).socketSndbufLength(bufferLength);
  }

  /** A window larger than the socket's buffer loses what arrives while this process sleeps. */
  private int windowLength() {
    return Math.min(udp.windowLength(), bufferLength);
  }

  @Override
  public int replyPort() {
    return port;
  }

  /** The host is where the writer's frames come from: nobody can have replies sent elsewhere. */
  @Override
  public String repliesTo(Image writer, int replyPort) {
    final String source = writer.sourceIdentity();
    final String host = source.substring(0, source.lastIndexOf(':'));
    return withBuffers(
            Channels.publication(CommonContext.UDP_MEDIA, REPLY_TERM_LENGTH, MTU_SAFE)
                .endpoint(host + ":" + replyPort))
        .build();
  }

  @Override
  public Optional<String> foreignDirectory(String endpoint) {
    return Optional.empty();
  }

  private static String at(String host, int port) {
    final boolean isBareV6 = host.indexOf(':') >= 0 && !host.startsWith("[");
    return (isBareV6 ? "[" + host + "]" : host) + ":" + port;
  }
}
