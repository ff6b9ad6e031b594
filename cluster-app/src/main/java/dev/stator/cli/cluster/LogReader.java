package dev.stator.cli.cluster;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * A log's last lines, and what is written after them: every character once, none cut. One thread.
 */
final class LogReader {
  private static final int CHUNK_BYTES = 1 << 20;
  private static final int TAIL_BYTES_MAX = CHUNK_BYTES / 4;

  private final Path log;
  private final CharsetDecoder decoder =
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPLACE)
          .onUnmappableCharacter(CodingErrorAction.REPLACE);
  private final ByteBuffer undecoded = ByteBuffer.allocate(CHUNK_BYTES); // To be filled.
  private long position; // Of the file's next byte.

  private LogReader(Path log, long position) {
    this.log = log;
    this.position = position;
  }

  /**
   * A reader whose next text begins with the last lines that the log has, at most this many.
   *
   * @param log need not be there yet
   */
  static LogReader ofLast(Path log, int lineCount) throws IOException {
    try (SeekableByteChannel file = Files.newByteChannel(log)) {
      final long size = file.size();
      final ByteBuffer tail = ByteBuffer.allocate((int) Math.min(size, TAIL_BYTES_MAX));
      final long tailStart = size - tail.capacity();
      file.position(tailStart);
      while (tail.hasRemaining() && file.read(tail) >= 0) {}
      return new LogReader(log, tailStart + startOfLast(tail.array(), lineCount, tailStart > 0));
    } catch (NoSuchFileException none) {
      return new LogReader(log, 0);
    }
  }

  /** Where the last lines begin; a line whose beginning is not there is none. */
  private static int startOfLast(byte[] tail, int lineCount, boolean isCut) {
    if (lineCount == 0) return tail.length;
    int first = tail.length;
    int lines = 0;
    for (int i = tail.length - 2; i >= 0; i--) {
      if (tail[i] != '\n') continue;
      first = i + 1;
      if (++lines == lineCount) return first;
    }
    return isCut ? first : 0;
  }

  /**
   * What has come since the last call, at most a mebibyte; empty when nothing has. A log that is
   * shorter than it was is a new one, read from its start.
   */
  String next() throws IOException {
    try (SeekableByteChannel file = Files.newByteChannel(log)) {
      if (file.size() < position) {
        position = 0;
        undecoded.clear();
        decoder.reset();
      }
      file.position(position);
      while (undecoded.hasRemaining() && file.read(undecoded) > 0) {}
      position = file.position();
    } catch (NoSuchFileException notYet) {
      return "";
    }
    undecoded.flip();
    final CharBuffer text = CharBuffer.allocate(undecoded.remaining());
    decoder.decode(undecoded, text, false);
    undecoded.compact(); // Keeps the beginning of a character whose end is not there yet.
    return text.flip().toString();
  }
}
