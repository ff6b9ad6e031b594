package dev.stator.http;

import dev.stator.request.GenerationCall;
import dev.stator.request.ServedModel;
import java.util.List;

/**
 * A checked request, ready to start.
 *
 * @param calls one for each prompt
 * @param format makes an answer of their events
 */
record PreparedGeneration(
    ServedModel model, boolean stream, List<GenerationCall> calls, AnswerFormat format) {
  PreparedGeneration {
    calls = List.copyOf(calls);
  }

  int choiceCount() {
    return calls.stream().mapToInt(GenerationCall::choiceCount).sum();
  }
}
