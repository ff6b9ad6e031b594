package dev.stator.model.grammar;

import java.util.ArrayList;
import java.util.List;

/** The rules of a grammar while it is made; a rule may be called before it is defined. */
final class RuleTable {
  private final List<String> names = new ArrayList<>();
  private final List<Expression> bodies = new ArrayList<>();

  /** A new rule's number. */
  int declare(String name) {
    names.add(name);
    bodies.add(null);
    return names.size() - 1;
  }

  void define(int rule, Expression body) {
    bodies.set(rule, body);
  }

  boolean isDefined(int rule) {
    return bodies.get(rule) != null;
  }

  /** All rules, each defined. */
  Grammar grammar() {
    final List<Grammar.Rule> rules = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) rules.add(new Grammar.Rule(names.get(i), bodies.get(i)));
    return new Grammar(rules);
  }
}
