package dev.stator.cluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Authorities and what they sign, made by the JDK's keytool. */
final class TestCertificates {
  private static final String PASSWORD = "secret";

  private final Path folder;
  private final String authority;

  /**
   * @param authority its name; files are named after it
   */
  TestCertificates(Path folder, String authority) {
    this.folder = folder;
    this.authority = authority;
    keytool(
        authority,
        "-genkeypair",
        "-keyalg",
        "RSA",
        "-keysize",
        "2048",
        "-dname",
        "CN=" + authority,
        "-ext",
        "bc:c");
    writePem(authority + ".ca", "CERTIFICATE", load(authority).encodedCertificate());
  }

  /** {@code stator.cluster.tls} of a node whose certificate this authority has signed. */
  String settings(String node, String subject) {
    keytool(node, "-genkeypair", "-keyalg", "RSA", "-keysize", "2048", "-dname", "CN=" + subject);
    final Path request = folder.resolve(node + ".csr");
    final Path signed = folder.resolve(node + ".signed");
    keytool(node, "-certreq", "-file", request.toString());
    keytool(
        authority,
        "-gencert",
        "-infile",
        request.toString(),
        "-outfile",
        signed.toString(),
        "-rfc");
    final Key key = load(node).key();
    writePem(node + ".key", "PRIVATE KEY", key.getEncoded());
    return """
    stator.cluster.tls {
      enabled = on
      cert-file = "%s"
      key-file = "%s"
      ca-file = "%s"
    }
    """
        .formatted(signed, folder.resolve(node + ".key"), folder.resolve(authority + ".ca"));
  }

  private record Entry(Key key, byte[] encodedCertificate) {}

  private Entry load(String alias) {
    try {
      final KeyStore store =
          KeyStore.getInstance(folder.resolve(alias + ".p12").toFile(), PASSWORD.toCharArray());
      return new Entry(
          store.getKey(alias, PASSWORD.toCharArray()), store.getCertificate(alias).getEncoded());
    } catch (GeneralSecurityException | IOException broken) {
      throw new AssertionError(broken);
    }
  }

  private void writePem(String file, String kind, byte[] bytes) {
    final String body =
        Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII)).encodeToString(bytes);
    try {
      Files.writeString(
          folder.resolve(file),
          "-----BEGIN %s-----\n%s\n-----END %s-----\n".formatted(kind, body, kind));
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }

  private void keytool(String alias, String... arguments) {
    final List<String> command =
        new ArrayList<>(
            List.of(Path.of(System.getProperty("java.home"), "bin", "keytool").toString()));
    command.addAll(List.of(arguments));
    command.addAll(
        List.of(
            "-alias",
            alias,
            "-keystore",
            folder.resolve(alias + ".p12").toString(),
            "-storetype",
            "PKCS12",
            "-storepass",
            PASSWORD));
    try {
      final Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      final String output =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (!process.waitFor(30, TimeUnit.SECONDS) || process.exitValue() != 0) {
        throw new AssertionError(command + ": " + output);
      }
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    } catch (InterruptedException stopped) {
      throw new AssertionError(stopped);
    }
  }
}
