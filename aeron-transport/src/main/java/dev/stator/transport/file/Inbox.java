package dev.stator.transport.file;

import dev.stator.transport.BlockLanding;
import dev.stator.transport.BlockSink;
import dev.stator.transport.Checksums;
import dev.stator.transport.RejectionCounters;
import dev.stator.transport.TransferBackend;
import dev.stator.transport.TransferStatus;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads what has arrived, each file once, and answers. <b>Threads:</b> one. */
final class Inbox {
  private static final Logger LOG = LoggerFactory.getLogger(Inbox.class);
  private static final int PIECE_LENGTH = 64 * 1024;

  /** Hears how a block of this process's fared. */
  @FunctionalInterface
  interface Answers {
    void answered(long sequence, int status);
  }

  /** A block's fate, to be told its sender. */
  private record Answer(long sequence, TransferStatus status) {}

  private final FileFolder folder;
  private final RejectionCounters counters;
  private final Function<String, BlockSink> sinks;
  private final Answers answers;
  private final ByteBuffer piece = ByteBuffer.allocateDirect(PIECE_LENGTH);
  private final Map<String, List<Answer>> toAnswer = new HashMap<>(); // By sender.

  Inbox(
      FileFolder folder,
      RejectionCounters counters,
      Function<String, BlockSink> sinks,
      Answers answers) {
    this.folder = folder;
    this.counters = counters;
    this.sinks = sinks;
    this.answers = answers;
  }

  /** Reads and deletes some files; returns how many. */
  int read(int filesMax) throws IOException {
    final List<Path> files = folder.arrived(filesMax);
    for (Path file : files) {
      readOne(file);
      delete(file);
    }
    tellAnswers();
    return files.size();
  }

  private void delete(Path file) {
    try {
      Files.deleteIfExists(file); // A sender that gave up may have been faster.
    } catch (IOException broken) {
      LOG.warn("Cannot delete {}", file);
    }
  }

  private void readOne(Path file) {
    final String sender = FileFolder.sender(file);
    if (sender == null || !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      counters.count(TransferStatus.MALFORMED);
      return;
    }
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
      read(sender, channel);
    } catch (IOException broken) {
      LOG.debug("Not read: {}", broken.toString());
      counters.count(TransferStatus.FAILED);
    }
  }

  private void read(String sender, FileChannel channel) throws IOException {
    piece.clear().limit(FileHeader.FIXED_LENGTH + FileHeader.NAME_LENGTH_MAX);
    while (piece.hasRemaining() && channel.read(piece) >= 0) continue;
    final FileHeader header = FileHeader.decode(piece.flip());
    if (header == null) {
      counters.count(TransferStatus.MALFORMED);
      return;
    }
    channel.position(piece.position()); // Where the body begins.
    switch (header.kind()) {
      case FileHeader.BLOCK ->
          toAnswer
              .computeIfAbsent(sender, unknown -> new ArrayList<>())
              .add(new Answer(header.sequence(), block(header, channel)));
      case FileHeader.MESSAGE -> message(header, channel);
      default -> answers(header, channel);
    }
  }

  private TransferStatus block(FileHeader header, FileChannel channel) throws IOException {
    final BlockSink sink = sinks.apply(header.agent());
    if (sink == null) return counters.count(TransferStatus.UNREACHABLE);
    if (channel.size() - channel.position() != header.bodyLength()) {
      return counters.count(TransferStatus.WRONG_LENGTH);
    }
    final BlockLanding landing =
        sink.begin(
            header.grantId(),
            header.keyHigh(),
            header.keyLow(),
            header.targetBlock(),
            header.bodyLength());
    try {
      return land(landing, header, channel);
    } catch (RuntimeException bug) { // The file goes nevertheless.
      LOG.error("A block was not taken", bug);
      return TransferStatus.FAILED;
    } finally {
      landing.abandon();
    }
  }

  private TransferStatus land(BlockLanding landing, FileHeader header, FileChannel channel)
      throws IOException {
    long at = 0;
    while (landing.ended() == null && at < header.bodyLength()) {
      final int length = (int) Math.min(PIECE_LENGTH, header.bodyLength() - at);
      readFully(channel, length);
      landing.put(at, MemorySegment.ofBuffer(piece));
      at += length;
    }
    return landing.finish(header.checksum());
  }

  private void readFully(FileChannel channel, int length) throws IOException {
    piece.clear().limit(length);
    while (piece.hasRemaining()) {
      if (channel.read(piece) < 0) throw new EOFException("cut short");
    }
    piece.flip();
  }

  private void message(FileHeader header, FileChannel channel) throws IOException {
    final BlockSink sink = sinks.apply(header.agent());
    if (sink == null) counters.count(TransferStatus.UNREACHABLE);
    else if (isBody(header, channel, TransferBackend.MESSAGE_BYTES_MAX)) {
      sink.receive(MemorySegment.ofBuffer(piece));
    }
  }

  private void answers(FileHeader header, FileChannel channel) throws IOException {
    final int lengthMax = FileHeader.ANSWERS_MAX * FileHeader.ANSWER_ENTRY_LENGTH;
    if (!isBody(header, channel, lengthMax)) return;
    piece.order(ByteOrder.LITTLE_ENDIAN);
    while (piece.remaining() >= FileHeader.ANSWER_ENTRY_LENGTH) {
      answers.answered(piece.getLong(), (int) (piece.getLong() & 0xff));
    }
  }

  /** Whether the whole body is now in {@link #piece}. */
  private boolean isBody(FileHeader header, FileChannel channel, int lengthMax) throws IOException {
    if (header.bodyLength() > lengthMax) {
      counters.count(TransferStatus.WRONG_LENGTH);
      return false;
    }
    readFully(channel, (int) header.bodyLength());
    if (Checksums.crc32c(MemorySegment.ofBuffer(piece)) == header.checksum()) return true;
    counters.count(TransferStatus.BAD_CHECKSUM);
    return false;
  }

  private void tellAnswers() {
    toAnswer.forEach((sender, all) -> {
      for (int from = 0; from < all.size(); from += FileHeader.ANSWERS_MAX) {
        tell(sender, all.subList(from, Math.min(all.size(), from + FileHeader.ANSWERS_MAX)));
      }
    });
    toAnswer.clear();
  }

  private void tell(String sender, List<Answer> some) {
    final ByteBuffer body =
        ByteBuffer.allocate(some.size() * FileHeader.ANSWER_ENTRY_LENGTH)
            .order(ByteOrder.LITTLE_ENDIAN);
    for (Answer answer : some) body.putLong(answer.sequence()).putLong(answer.status().ordinal());
    body.flip();
    final int checksum = Checksums.crc32c(MemorySegment.ofBuffer(body));
    final var header = FileHeader.plain(FileHeader.ANSWER, "", checksum, body.remaining());
    try {
      folder.put(sender, header.encode(), body);
    } catch (IOException gone) {
      LOG.debug("An answer is lost: {}", gone.toString());
    }
  }
}
