package dev.stator.request;

import dev.stator.model.text.Tokenizer;

/** What a call must be like to get a session. The HTTP layer has checked more; this guards. */
final class CallRules {
  private final ServedModel model;
  private final SessionSettings settings;

  CallRules(ServedModel model, SessionSettings settings) {
    this.model = model;
    this.settings = settings;
  }

  /** What is wrong, for the user; {@code null} for nothing. */
  String trouble(GenerationCall call) {
    if (call.requestId().isEmpty()) return "the request id is empty";
    if (call.promptTokens().length == 0) return "the prompt is empty";
    if (call.promptTokens().length >= model.contextLength()) {
      return "the prompt has %d tokens, the context length is %d, and the answer needs room for one"
          .formatted(call.promptTokens().length, model.contextLength());
    }
    if (call.choiceCount() < 1 || call.choiceCount() > settings.choicesMax()) {
      return "n must be between 1 and %d: %d".formatted(settings.choicesMax(), call.choiceCount());
    }
    if (call.stopStrings().size() > settings.stopStringsMax()) {
      return "at most %d stop strings are allowed: %d"
          .formatted(settings.stopStringsMax(), call.stopStrings().size());
    }
    for (String stop : call.stopStrings()) {
      if (stop.isEmpty() || stop.length() > settings.stopStringLengthMax()) {
        return "a stop string must have 1 to %d characters: %d"
            .formatted(settings.stopStringLengthMax(), stop.length());
      }
      if (hasLoneSurrogate(stop)) return "a stop string holds half a character";
    }
    return tokenTrouble(call, model.tokenizer());
  }

  private static String tokenTrouble(GenerationCall call, Tokenizer tokenizer) {
    for (int token : call.promptTokens()) {
      if (token < 0 || token >= tokenizer.vocabularySize()) {
        return "token %d is not in the vocabulary of %d"
            .formatted(token, tokenizer.vocabularySize());
      }
    }
    return null;
  }

  private static boolean hasLoneSurrogate(String text) {
    return text.codePoints().anyMatch(point -> point >= 0xD800 && point <= 0xDFFF);
  }
}
