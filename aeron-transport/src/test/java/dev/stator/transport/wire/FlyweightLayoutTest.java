package dev.stator.transport.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.transport.TransferStatus;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.agrona.ExpandableArrayBuffer;
import org.agrona.MutableDirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;

/** Where each field lies, and that no frame is believed that contradicts itself. */
class FlyweightLayoutTest {
  private static final int AT = 8;
  private static final BlockTarget TARGET = new BlockTarget(0x11, 0x22, 0x33, 0x44);

  private final MutableDirectBuffer buffer = new ExpandableArrayBuffer();

  @Test
  void shouldLayAFragmentOutAsDrawn() {
    FragmentFlyweight.encode(buffer, AT, 0x55, TARGET, 1000, 200, 100);
    FragmentFlyweight.encodeChecksum(buffer, AT, 0x66);
    final ByteBuffer bytes = bytes(FragmentFlyweight.HEADER_LENGTH);
    assertEquals(64, bytes.remaining());
    assertEquals(1, bytes.get(0));
    assertEquals(3, bytes.get(1));
    assertEquals(0, bytes.getShort(2));
    assertEquals(1000, bytes.getInt(4));
    assertEquals(0x55, bytes.getLong(8));
    assertEquals(0x11, bytes.getLong(16));
    assertEquals(0x22, bytes.getLong(24));
    assertEquals(0x33, bytes.getLong(32));
    assertEquals(0x44, bytes.getInt(40));
    assertEquals(200, bytes.getInt(44));
    assertEquals(100, bytes.getInt(48));
    assertEquals(0x66, bytes.getInt(52));
    assertEquals(0, bytes.getLong(56));
    final FragmentFlyweight read = new FragmentFlyweight().wrap(buffer, AT);
    assertEquals(
        TARGET, new BlockTarget(read.grantId(), read.keyHigh(), read.keyLow(), read.targetBlock()));
    assertEquals(0x55, read.transferId());
    assertEquals(1000, read.blockLength());
    assertEquals(200, read.offset());
    assertEquals(0x66, read.checksum());
    assertFalse(read.moreFollows());
    FragmentFlyweight.encodeMoreFollows(buffer, AT);
    assertEquals(1, bytes(FragmentFlyweight.HEADER_LENGTH).getLong(56));
    assertTrue(read.moreFollows());
  }

  @Test
  void shouldLayTheOtherFramesOutAsDrawn() {
    final byte[] name = "agent".getBytes(StandardCharsets.UTF_8);
    HelloFlyweight.encode(buffer, AT, 0x77, 0x88, 99, name);
    ByteBuffer bytes = bytes(HelloFlyweight.length(name));
    assertEquals(29, bytes.remaining());
    assertEquals(0x0101, bytes.getShort(0));
    assertEquals(0x88, bytes.getInt(4));
    assertEquals(0x77, bytes.getLong(8));
    assertEquals(99, bytes.getInt(16));
    assertEquals(5, bytes.getInt(20));
    assertEquals("agent", new HelloFlyweight().wrap(buffer, AT, 29).name());

    WelcomeFlyweight.encode(buffer, AT, 0x77, 1);
    bytes = bytes(WelcomeFlyweight.LENGTH);
    assertEquals(16, bytes.remaining());
    assertEquals(0x0201, bytes.getShort(0));
    assertEquals(1, bytes.getInt(4));
    assertEquals(0x77, bytes.getLong(8));

    AcknowledgementFlyweight.encode(buffer, AT, 0x77, 2);
    AcknowledgementFlyweight.encodeEntry(buffer, AT, 0, 5, 1);
    AcknowledgementFlyweight.encodeEntry(buffer, AT, 1, 6, 7);
    bytes = bytes(AcknowledgementFlyweight.length(2));
    assertEquals(48, bytes.remaining());
    assertEquals(0x0401, bytes.getShort(0));
    assertEquals(2, bytes.getShort(2));
    assertEquals(0x77, bytes.getLong(8));
    assertEquals(5, bytes.getLong(16));
    assertEquals(1, bytes.getInt(24));
    assertEquals(6, bytes.getLong(32));
    assertEquals(7, bytes.getInt(40));

    MessageFlyweight.encode(buffer, AT, 1000, 200, 100);
    bytes = bytes(MessageFlyweight.HEADER_LENGTH);
    assertEquals(16, bytes.remaining());
    assertEquals(0x0501, bytes.getShort(0));
    assertEquals(1000, bytes.getInt(4));
    assertEquals(200, bytes.getInt(8));
    assertEquals(100, bytes.getInt(12));
  }

  @Test
  void shouldRefuseLengthsAndOffsetsThatContradictEachOther() {
    assertEquals(FrameFault.TOO_SHORT, fragment(1000, 0, 100, 63));
    assertEquals(FrameFault.WRONG_LENGTH, fragment(1000, 0, 100, 163));
    assertEquals(FrameFault.WRONG_LENGTH, fragment(1000, 0, 100, 165));
    assertEquals(FrameFault.WRONG_LENGTH, fragment(1000, 0, 0, 64));
    assertEquals(FrameFault.WRONG_LENGTH, fragment(99, 0, 100, 164));
    assertEquals(FrameFault.WRONG_LENGTH, fragment(-1, 0, 100, 164));
    assertEquals(FrameFault.OUT_OF_RANGE, fragment(1000, -1, 100, 164));
    assertEquals(FrameFault.OUT_OF_RANGE, fragment(1000, 901, 100, 164));
    assertEquals(FrameFault.OUT_OF_RANGE, fragment(1000, Integer.MAX_VALUE, 100, 164));
    assertNull(fragment(1000, 900, 100, 164));
    final int longest = MessageFlyweight.MESSAGE_LENGTH_MAX;
    assertEquals(FrameFault.WRONG_LENGTH, message(longest + 1, 0, 100, 116));
    assertEquals(FrameFault.OUT_OF_RANGE, message(longest, longest - 99, 100, 116));
    assertNull(message(longest, longest - 100, 100, 116));
    AcknowledgementFlyweight.encode(buffer, 0, 1, 3);
    assertEquals(FrameFault.WRONG_LENGTH, AcknowledgementFlyweight.check(buffer, 0, 48));
    AcknowledgementFlyweight.encode(buffer, 0, 1, 0);
    assertEquals(FrameFault.OUT_OF_RANGE, AcknowledgementFlyweight.check(buffer, 0, 16));
    HelloFlyweight.encode(buffer, 0, 1, 1 << 20, 70_000, new byte[3]);
    assertEquals(FrameFault.OUT_OF_RANGE, HelloFlyweight.check(buffer, 0, 27));
  }

  @Test
  void shouldRefuseOtherVersions() {
    WelcomeFlyweight.encode(buffer, 0, 1, 1);
    assertNull(FrameHeader.check(buffer, 0, WelcomeFlyweight.LENGTH));
    buffer.putByte(FrameHeader.VERSION_OFFSET, (byte) 2);
    assertEquals(FrameFault.WRONG_VERSION, FrameHeader.check(buffer, 0, WelcomeFlyweight.LENGTH));
    assertEquals(FrameFault.TOO_SHORT, FrameHeader.check(buffer, 0, 3));
  }

  @Test
  void shouldReadNothingBeyondTheFrameWhateverItSays() {
    final Random random = new Random(11);
    for (int i = 0; i < 100_000; i++) {
      final byte[] bytes = new byte[random.nextInt(96)];
      random.nextBytes(bytes);
      if (random.nextBoolean()) {
        for (int at = 4; at < bytes.length; at++) if (at % 4 != 0) bytes[at] = 0; // Small numbers.
      }
      final UnsafeBuffer exact = new UnsafeBuffer(bytes); // Bounds are checked.
      FrameHeader.check(exact, 0, bytes.length);
      HelloFlyweight.check(exact, 0, bytes.length);
      WelcomeFlyweight.check(exact, 0, bytes.length);
      MessageFlyweight.check(exact, 0, bytes.length);
      if (FragmentFlyweight.check(exact, 0, bytes.length) == null) {
        final FragmentFlyweight read = new FragmentFlyweight().wrap(exact, 0);
        assertTrue(read.offset() + (bytes.length - 64) <= read.blockLength());
      }
      if (AcknowledgementFlyweight.check(exact, 0, bytes.length) != null) continue;
      final int count = AcknowledgementFlyweight.count(bytes.length);
      new AcknowledgementFlyweight().wrap(exact, 0).status(count - 1);
    }
  }

  @Test
  void shouldGiveEveryStatusANumberOfItsOwn() {
    final Set<Integer> codes = new HashSet<>();
    for (TransferStatus status : TransferStatus.values()) {
      final int code = StatusCodes.encode(status);
      assertTrue(codes.add(code));
      assertEquals(status, StatusCodes.decode(code));
      assertNotNull(StatusCodes.decode(code));
    }
    assertNull(StatusCodes.decode(0));
    assertNull(StatusCodes.decode(-1));
  }

  private FrameFault fragment(int blockLength, int offset, int pieceLength, int frameLength) {
    FragmentFlyweight.encode(buffer, 0, 1, TARGET, blockLength, offset, pieceLength);
    return FragmentFlyweight.check(buffer, 0, frameLength);
  }

  private FrameFault message(int messageLength, int offset, int pieceLength, int frameLength) {
    MessageFlyweight.encode(buffer, 0, messageLength, offset, pieceLength);
    return MessageFlyweight.check(buffer, 0, frameLength);
  }

  private ByteBuffer bytes(int length) {
    final byte[] bytes = new byte[length];
    buffer.getBytes(AT, bytes);
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
