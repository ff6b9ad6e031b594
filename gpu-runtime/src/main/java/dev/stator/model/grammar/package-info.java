/**
 * What an answer may look like. A {@link dev.stator.model.grammar.Constraint} (a JSON schema, a
 * regular expression, a GBNF grammar, ...) becomes {@link dev.stator.model.grammar.Expression}s,
 * these a network of states over bytes ({@link dev.stator.model.grammar.TransitionNetwork}), and
 * that, with a vocabulary ({@link dev.stator.model.grammar.TokenTrie}), the set of tokens that may
 * follow an answer's bytes ({@link dev.stator.model.grammar.Automaton}). Pure; knows nothing of
 * engines or HTTP.
 */
package dev.stator.model.grammar;
