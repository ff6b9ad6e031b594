package dev.stator.transport.wire;

import dev.stator.transport.TransferStatus;

/** Numbers of statuses between processes; never reused. */
public final class StatusCodes {
  private StatusCodes() {}

  public static int encode(TransferStatus status) {
    return switch (status) {
      case OK -> 1;
      case UNKNOWN_GRANT -> 2;
      case WRONG_KEY -> 3;
      case OUT_OF_RANGE -> 4;
      case WRONG_LENGTH -> 5;
      case BAD_CHECKSUM -> 6;
      case BUSY -> 7;
      case UNREACHABLE -> 8;
      case BACK_PRESSURED -> 9;
      case TIMED_OUT -> 10;
      case CANCELLED -> 11;
      case FAILED -> 12;
      case WRONG_GEOMETRY -> 13;
      case MALFORMED -> 14;
    };
  }

  /** {@code null} for a number that has no meaning. */
  public static TransferStatus decode(int code) {
    return switch (code) {
      case 1 -> TransferStatus.OK;
      case 2 -> TransferStatus.UNKNOWN_GRANT;
      case 3 -> TransferStatus.WRONG_KEY;
      case 4 -> TransferStatus.OUT_OF_RANGE;
      case 5 -> TransferStatus.WRONG_LENGTH;
      case 6 -> TransferStatus.BAD_CHECKSUM;
      case 7 -> TransferStatus.BUSY;
      case 8 -> TransferStatus.UNREACHABLE;
      case 9 -> TransferStatus.BACK_PRESSURED;
      case 10 -> TransferStatus.TIMED_OUT;
      case 11 -> TransferStatus.CANCELLED;
      case 12 -> TransferStatus.FAILED;
      case 13 -> TransferStatus.WRONG_GEOMETRY;
      case 14 -> TransferStatus.MALFORMED;
      default -> null;
    };
  }
}
