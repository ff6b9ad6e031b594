package dev.stator.model.text;

import java.util.List;
import java.util.random.RandomGenerator;

/** Texts that try a tokenizer: every plane, mixed scripts, spaces, line ends, digits, emoji. */
final class RandomText {
  private static final List<String> FRAGMENTS =
      List.of(
          "Hello",
          " world",
          "the ",
          " don't",
          "I'LL",
          "we've",
          "'s",
          "'S",
          "'re",
          "it'd ",
          "HTTPServer",
          "camelCaseWord",
          "iOS",
          "McDonald's",
          " 3.14",
          "2024-11-05",
          "1234567",
          "\u0662\u0663",
          "\u00BD",
          "\r\n",
          "\n\n",
          "\n",
          "\r",
          "\t",
          "\t\t",
          " ",
          "  ",
          "   ",
          "        ",
          " \n ",
          "\n   \n",
          "\u00A0",
          "\u3000",
          "\u2028",
          "\u0085",
          "\u200B",
          "\u200D",
          "\uFEFF",
          "...",
          "!!!",
          "?!\n",
          " (x)",
          "{\"a\": [1]}",
          "://",
          "a/b/c",
          "/\n/",
          "//\n",
          "#include <x>",
          "\u0301",
          "e\u0301\u0323",
          "\u0915\u094D\u0937\u093F",
          "\u0627\u0644\u0639\u0631\u0628\u064A\u0629",
          "\u05E9\u05DC\u05D5\u05DD",
          "\u4F60\u597D\u4E16\u754C",
          "\u3053\u3093\u306B\u3061\u306F",
          "\uD55C\uAD6D\uC5B4",
          "\u0E2A\u0E27\u0E31\u0E2A\u0E14\u0E35",
          "\u041F\u0440\u0438\u0432\u0435\u0442",
          "\u0393\u03B5\u03B9\u03AC",
          "na\u00EFve",
          "\u01C5\u01C6",
          "\u02B0\u02B1",
          "\uD83D\uDE00",
          "\uD83D\uDC68\u200D\uD83D\uDC69\u200D\uD83D\uDC67",
          "\uD83C\uDDE9\uD83C\uDDEA",
          "\u2764\uFE0F",
          "\uD835\uDD38\uD835\uDD39",
          "\uD83F\uDFFE",
          "'\u017Ft",
          "\u212A",
          "_",
          "__init__",
          "$",
          "+=",
          "\u2581",
          "\u2581a",
          "\u0120",
          "<0x0A>",
          "<s>",
          "</s>",
          "<unk>",
          "<|im_end|>",
          "<|im_start|>",
          "<|eot_id|>",
          "<|endoftext|>",
          "<|begin_of_text|>");

  private static final String UNPAIRED = "\uD83D\uDE00\uD800\uDFFF";

  private final RandomGenerator random;
  private final boolean hasUnpairedSurrogates;

  RandomText(RandomGenerator random, boolean hasUnpairedSurrogates) {
    this.random = random;
    this.hasUnpairedSurrogates = hasUnpairedSurrogates;
  }

  /** A text of up to {@code partsMax} parts. */
  String next(int partsMax) {
    final StringBuilder text = new StringBuilder();
    final int parts = random.nextInt(partsMax + 1);
    for (int i = 0; i < parts; i++) addPart(text);
    return text.toString();
  }

  private void addPart(StringBuilder text) {
    switch (random.nextInt(10)) {
      case 0, 1, 2, 3, 4 -> text.append(FRAGMENTS.get(random.nextInt(FRAGMENTS.size())));
      case 5 -> text.append((char) (' ' + random.nextInt('~' - ' ' + 1)));
      case 6 -> repeat(text, FRAGMENTS.get(random.nextInt(FRAGMENTS.size())));
      case 7 -> text.appendCodePoint(assigned(0x3000));
      case 8 -> text.appendCodePoint(assigned(Character.MAX_CODE_POINT + 1));
      default -> {
        if (hasUnpairedSurrogates) text.append(UNPAIRED.charAt(random.nextInt(UNPAIRED.length())));
        else text.append((char) ('a' + random.nextInt(26)));
      }
    }
  }

  private void repeat(StringBuilder text, String fragment) {
    text.repeat(fragment, 1 + random.nextInt(12));
  }

  private int assigned(int bound) {
    while (true) {
      final int codePoint = random.nextInt(bound);
      final int type = Character.getType(codePoint);
      if (type != Character.UNASSIGNED && type != Character.SURROGATE) return codePoint;
    }
  }
}
