package dev.stator.model.grammar;

import java.util.List;

/**
 * Rules that call each other by number; number 0 is the whole text's.
 *
 * @param rules at least one
 */
record Grammar(List<Rule> rules) {
  /**
   * One rule.
   *
   * @param name for messages
   */
  record Rule(String name, Expression body) {}

  Grammar {
    rules = List.copyOf(rules);
  }
}
