package dev.stator.device;

import dev.stator.kv.KvLayout;
import dev.stator.model.AttentionVariant;
import dev.stator.model.FeedForwardVariant;
import dev.stator.model.ModelConfig;
import dev.stator.model.ResidualVariant;
import dev.stator.model.RopeScaling;
import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightScales;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * Names what decides the bits of logits and KV blocks: the kernel family, how keys and values are
 * stored, the shape, and every byte of the weights (a CRC-32C of each piece of rows, all under one
 * SHA-256).
 *
 * <p><b>Threads:</b> one adds weights; any may hash different pieces after that.
 */
public final class Fingerprint {
  private record Entry(WeightMatrix weight, int rowsPerPiece, long[] checksums) {}

  private final List<Entry> entries = new ArrayList<>();

  /** Takes a weight in; returns its number. */
  public int add(WeightMatrix weight, int rowsPerPiece) {
    final int pieces = (weight.rowCount() + rowsPerPiece - 1) / rowsPerPiece;
    entries.add(new Entry(weight, rowsPerPiece, new long[pieces]));
    return entries.size() - 1;
  }

  /** Reads one piece of a weight. */
  public void hash(int number, int piece) {
    entries.get(number).checksums()[piece] = checksum(entries.get(number), piece);
  }

  /** Whether a piece that has been hashed is as it was then. */
  public boolean isUnchanged(int number, int piece) {
    return entries.get(number).checksums()[piece] == checksum(entries.get(number), piece);
  }

  private static long checksum(Entry entry, int piece) {
    final WeightMatrix weight = entry.weight();
    final int row = piece * entry.rowsPerPiece();
    final int rowEnd = Math.min(weight.rowCount(), row + entry.rowsPerPiece());
    final long rowBytes = weight.type().byteSize(weight.columnCount());
    final CRC32C crc = new CRC32C();
    crc.update(weight.data().asSlice(row * rowBytes, (rowEnd - row) * rowBytes).asByteBuffer());
    return crc.getValue();
  }

  /**
   * The fingerprint, once every piece is hashed.
   *
   * @param family of kernels: the programs that they run, defined in {@code NUMERICS.md}
   */
  public String of(ModelConfig config, KvLayout.KvType kvType, String family) {
    final MessageDigest digest = sha256();
    add(
        digest,
        family,
        kvType,
        config.layerCount(),
        config.headCount(),
        config.keyValueHeadCount());
    add(
        digest,
        config.headSize(),
        config.rmsNormEpsilon(),
        config.ropeTheta(),
        config.ropeLayout());
    add(digest, config.attentionBias(), config.queryKeyNorm());
    addScaling(digest, config.ropeScaling());
    addVariant(digest, config.attention(), AttentionVariant.PLAIN);
    addVariant(digest, config.feedForward(), FeedForwardVariant.PLAIN);
    addVariant(digest, config.residual(), ResidualVariant.PLAIN);
    for (Entry entry : entries) {
      add(digest, entry.weight().type(), entry.weight().rowCount(), entry.weight().columnCount());
      add(digest, Arrays.toString(entry.checksums()));
      final WeightScales scales = entry.weight().scales();
      if (scales != null) {
        add(digest, scales.blockRows(), scales.blockColumns());
        add(digest, scales.firstRow(), scales.firstColumn());
        add(digest, Arrays.toString(scales.factors()));
      }
    }
    return title(family, kvType, digest);
  }

  /**
   * The fingerprint of what computes together.
   *
   * @param parts the fingerprints of its parts, in their order
   */
  public static String ofParts(List<String> parts, KvLayout.KvType kvType, String family) {
    final MessageDigest digest = sha256();
    parts.forEach(part -> add(digest, part));
    return title(family, kvType, digest);
  }

  private static String title(String family, KvLayout.KvType kvType, MessageDigest digest) {
    final String hash = HexFormat.of().formatHex(digest.digest(), 0, 16);
    return family + "/kv-" + kvType.title() + "/" + hash;
  }

  private static void addScaling(MessageDigest digest, RopeScaling scaling) {
    if (scaling instanceof RopeScaling.PerPair(float[] divisors, float attentionFactor)) {
      add(digest, Arrays.toString(divisors));
      if (attentionFactor != 1) add(digest, attentionFactor);
    } else {
      add(digest, scaling);
    }
  }

  private static void addVariant(MessageDigest digest, Object variant, Object plain) {
    if (!variant.equals(plain)) add(digest, variant);
  }

  private static void add(MessageDigest digest, Object... values) {
    for (Object value : values) digest.update((value + ";").getBytes(StandardCharsets.UTF_8));
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java runtime has SHA-256", e);
    }
  }
}
