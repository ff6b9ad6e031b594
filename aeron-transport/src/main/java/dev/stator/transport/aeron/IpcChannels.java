package dev.stator.transport.aeron;

import io.aeron.AvailableImageHandler;
import io.aeron.CommonContext;
import io.aeron.Image;
import io.aeron.Subscription;
import io.aeron.UnavailableImageHandler;
import java.util.Optional;

/**
 * Between processes of one host, through the receiver's media driver: its folder is the endpoint.
 * Both directions of a connection lie in that driver's logs, so that no driver need be shared.
 */
final class IpcChannels implements Channels {
  static final String NAME = "ipc";

  private final AeronSettings settings;
  private String endpoint;

  IpcChannels(AeronSettings settings) {
    this.settings = settings;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Subscription listen(
      Station station, AvailableImageHandler opened, UnavailableImageHandler closed) {
    endpoint = station.driverDirectory();
    return station.subscribe(CommonContext.IPC_CHANNEL, DATA_STREAM, opened, closed);
  }

  @Override
  public String endpoint() {
    return endpoint;
  }

  @Override
  public int datagramLength() {
    return 0;
  }

  @Override
  public String data(String receiver) {
    return Channels.publication(CommonContext.IPC_MEDIA, settings.ipcTermLength(), MTU_MAX).build();
  }

  @Override
  public String replies() {
    return CommonContext.IPC_CHANNEL;
  }

  @Override
  public int replyPort() {
    return 0;
  }

  @Override
  public String repliesTo(Image writer, int replyPort) {
    return Channels.publication(CommonContext.IPC_MEDIA, REPLY_TERM_LENGTH, UdpChannels.MTU_SAFE)
        .build();
  }

  @Override
  public Optional<String> foreignDirectory(String receiver) {
    return receiver.equals(endpoint) ? Optional.empty() : Optional.of(receiver);
  }
}
