package dev.stator.cli;

import picocli.CommandLine.Option;

/** Where a server listens; what is {@code null} is left to the configuration. */
final class AddressOptions {
  @Option(
      names = "--host",
      paramLabel = "ADDRESS",
      description =
          "Address to listen on; 0.0.0.0 is all of them. Default: stator.http.host, 127.0.0.1.")
  private String host;

  @Option(
      names = "--port",
      paramLabel = "PORT",
      description = "Port to listen on; 0 takes a free one. Default: stator.http.port, 8080.")
  private Integer port;

  /** Any free port of this machine alone: for a node that only this process speaks to. */
  static AddressOptions privateAddress() {
    final AddressOptions address = new AddressOptions();
    address.host = "127.0.0.1";
    address.port = 0;
    return address;
  }

  String host() {
    return host;
  }

  Integer port() {
    return port;
  }
}
