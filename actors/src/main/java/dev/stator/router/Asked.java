package dev.stator.router;

import dev.stator.engine.RequestId;
import dev.stator.protocol.BookingCheck;
import dev.stator.protocol.Place;
import dev.stator.protocol.PlacementAnswer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * The questions whose sequences are booked or wait: who asked, and what was answered, so that a
 * question that comes again is answered again. One thread.
 */
final class Asked {
  /** One question. */
  private static final class Question {
    Place place;
    PlacementAnswer.Placed answer; // Null while it waits, and once it is known to have arrived.

    Question(Place place) {
      this.place = place;
    }
  }

  private final Map<RequestId, Question> questions = new HashMap<>();

  /** Adds a question, or replaces a lower attempt of it. */
  void add(Place place) {
    questions.put(place.id(), new Question(place));
  }

  void remove(RequestId id) {
    questions.remove(id);
  }

  /** The question of this id; {@code null} when there is none. */
  Place get(RequestId id) {
    final Question question = questions.get(id);
    return question == null ? null : question.place;
  }

  /** The same question has come again; tells it its answer if there is one. */
  void repeated(Place place) {
    final Question question = questions.get(place.id());
    question.place = place;
    if (question.answer != null) place.replyTo().tell(question.answer);
  }

  /** Answers a question that has not ended or been replaced. */
  void answer(PlacementAnswer.Placed answer) {
    final Question question = questions.get(answer.id());
    if (question == null || question.place.attempt() != answer.attempt()) return;
    question.answer = answer;
    question.place.replyTo().tell(answer);
  }

  /** The answer has arrived: what it led to is here. */
  void answerHasArrived(RequestId id, int attempt) {
    final Question question = questions.get(id);
    if (question != null && question.place.attempt() == attempt) question.answer = null;
  }

  /** The questions of a session node. */
  List<Place> of(ActorRef<?> sessions) {
    return questions.values().stream()
        .map(question -> question.place)
        .filter(place -> place.sessions().equals(sessions))
        .toList();
  }

  /** What is to be asked of each session node. */
  Map<ActorRef<BookingCheck>, List<BookingCheck.Booked>> bySessions() {
    final Map<ActorRef<BookingCheck>, List<BookingCheck.Booked>> all = new LinkedHashMap<>();
    for (Question question : questions.values()) {
      final Place place = question.place;
      all.computeIfAbsent(place.sessions(), node -> new ArrayList<>())
          .add(new BookingCheck.Booked(place.id(), place.attempt()));
    }
    return all;
  }
}
