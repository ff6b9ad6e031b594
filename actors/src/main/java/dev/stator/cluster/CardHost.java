package dev.stator.cluster;

import dev.stator.cluster.CardMessage.Describe;
import dev.stator.cluster.CardMessage.Described;
import dev.stator.cluster.CardMessage.Fetch;
import dev.stator.cluster.CardMessage.Part;
import dev.stator.cluster.CardMessage.Question;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.receptionist.Receptionist;
import org.apache.pekko.actor.typed.receptionist.ServiceKey;

/** Gives frontends the card of the model that this node hosts. Found by {@link #KEY}. */
final class CardHost extends AbstractBehavior<Question> {
  static final ServiceKey<Question> KEY = ServiceKey.create(Question.class, "stator-model-cards");

  static Behavior<Question> create(String node, HostedModel hosted, int partBytesMax) {
    return Behaviors.setup(context -> new CardHost(context, node, hosted, partBytesMax));
  }

  private final byte[] card;
  private final int partBytesMax;
  private final Described description;

  private CardHost(
      ActorContext<Question> context, String node, HostedModel hosted, int partBytesMax) {
    super(context);
    this.card = hosted.card();
    this.partBytesMax = partBytesMax;
    this.description =
        new Described(node, hosted.served().name(), card.length, digest(card), context.getSelf());
    context.getSystem().receptionist().tell(Receptionist.register(KEY, context.getSelf()));
  }

  static String digest(byte[] card) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(card));
    } catch (NoSuchAlgorithmException missing) {
      throw new IllegalStateException(missing); // Every JDK has it.
    }
  }

  @Override
  public Receive<Question> createReceive() {
    return newReceiveBuilder().onAnyMessage(this::onMessage).build();
  }

  private Behavior<Question> onMessage(Question question) {
    switch (question) {
      case Describe(var replyTo) -> replyTo.tell(description);
      case Fetch(var digest, var offset, var length, var replyTo) -> {
        final boolean isThere = offset >= 0 && offset < card.length && length > 0;
        if (!isThere || !digest.equals(description.digest())) return this;
        final int end = (int) Math.min(card.length, offset + (long) Math.min(length, partBytesMax));
        replyTo.tell(new Part(digest, offset, Arrays.copyOfRange(card, offset, end)));
      }
    }
    return this;
  }
}
