package dev.stator.cluster;

import dev.stator.protocol.ClusterMessage;
import org.apache.pekko.actor.typed.ActorRef;

/** Between a frontend and a node that hosts a model: the model's card, part by part. */
sealed interface CardMessage extends ClusterMessage {
  /** To a host. */
  sealed interface Question extends CardMessage {}

  /** Answered by {@link Described}. */
  record Describe(ActorRef<Answer> replyTo) implements Question {}

  /** Answered by {@link Part}; questions about another card, or beyond its end, are ignored. */
  record Fetch(String digest, int offset, int length, ActorRef<Answer> replyTo)
      implements Question {}

  /** From a host. */
  sealed interface Answer extends CardMessage {}

  /**
   * @param digest SHA-256 of the card, in hexadecimal digits
   */
  record Described(String node, String model, int cardBytes, String digest, ActorRef<Question> host)
      implements Answer {}

  /**
   * @param bytes owned by the message, never written
   */
  record Part(String digest, int offset, byte[] bytes) implements Answer {}
}
