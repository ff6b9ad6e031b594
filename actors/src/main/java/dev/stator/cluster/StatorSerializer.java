package dev.stator.cluster;

import com.esotericsoftware.kryo.util.Pool;
import dev.stator.protocol.ClusterMessage;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.serialization.JSerializer;

/**
 * Pekko's way to {@link WireCodec}, for all {@link ClusterMessage}s. What cannot be read is logged
 * by Pekko with our reason and dropped; the connection stays.
 *
 * <p><b>Threads:</b> any.
 */
public final class StatorSerializer extends JSerializer {
  private static final int IDENTIFIER = 7401;
  private static final int CODECS_MAX = 16; // Further ones are made and dropped.

  private final Pool<WireCodec> codecs;

  /** Called by Pekko. */
  public StatorSerializer(ExtendedActorSystem system) {
    final int bytesMax =
        Math.toIntExact(system.settings().config().getBytes("stator.cluster.message-bytes-max"));
    final ActorRefResolver actorRefs = ActorRefResolver.get(Adapter.toTyped(system));
    this.codecs =
        new Pool<>(true, false, CODECS_MAX) {
          @Override
          protected WireCodec create() {
            return new WireCodec(actorRefs, bytesMax);
          }
        };
  }

  @Override
  public int identifier() {
    return IDENTIFIER;
  }

  @Override
  public boolean includeManifest() {
    return false;
  }

  @Override
  public byte[] toBinary(Object message) {
    final WireCodec codec = codecs.obtain();
    try {
      return codec.write(message);
    } catch (RuntimeException refused) {
      throw new IllegalArgumentException(
          "%s cannot be sent to another node: %s".formatted(message.getClass().getName(), refused),
          refused);
    } finally {
      codecs.free(codec);
    }
  }

  @Override
  public Object fromBinaryJava(byte[] bytes, Class<?> manifest) {
    final WireCodec codec = codecs.obtain();
    final Object message;
    try {
      message = codec.read(bytes);
    } catch (RuntimeException refused) {
      throw refusal(bytes, refused.toString());
    } finally {
      codecs.free(codec);
    }
    if (message instanceof ClusterMessage) return message;
    throw refusal(bytes, message == null ? "nothing" : message.getClass().getName());
  }

  private static IllegalArgumentException refusal(byte[] bytes, String found) {
    return new IllegalArgumentException(
        "%d bytes are no message between nodes: %s".formatted(bytes.length, found));
  }
}
