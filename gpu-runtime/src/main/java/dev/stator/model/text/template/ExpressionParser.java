package dev.stator.model.text.template;

import dev.stator.model.text.template.Expression.Actuals;
import dev.stator.model.text.template.Expression.Named;
import dev.stator.model.text.template.Expression.Operand;
import dev.stator.model.text.template.Expression.Operator;
import dev.stator.model.text.template.Expression.Relation;
import dev.stator.model.text.template.Token.Kind;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Parses expressions by recursive descent, loosest first: inline if, or, and, not, comparison,
 * {@code + -}, {@code ~}, {@code * / // %}, {@code **}, sign, postfix, filters and tests.
 */
final class ExpressionParser {
  private static final Map<String, Relation> RELATIONS =
      Map.of(
          "==", Relation.EQUAL,
          "!=", Relation.NOT_EQUAL,
          "<", Relation.LESS,
          "<=", Relation.LESS_OR_EQUAL,
          ">", Relation.GREATER,
          ">=", Relation.GREATER_OR_EQUAL);
  private static final Set<String> AFTER_TEST = Set.of("else", "or", "and");

  private final TokenStream tokens;

  /** Every name read so far within each macro that is open, outermost first. */
  private final List<Set<String>> macroNames = new ArrayList<>();

  ExpressionParser(TokenStream tokens) {
    this.tokens = tokens;
  }

  void beginMacro() {
    macroNames.add(new HashSet<>());
  }

  Set<String> endMacro() {
    return macroNames.removeLast();
  }

  Expression parse() {
    tokens.enter();
    Expression result = parseOr();
    while (tokens.skipName("if")) {
      final Expression test = parseOr();
      result = new Expression.Conditional(test, result, tokens.skipName("else") ? parse() : null);
    }
    tokens.leave();
    return result;
  }

  /** One expression, or several with commas as a tuple. */
  Expression parseTuple() {
    return parseTuple(true, false, "");
  }

  /**
   * As {@link #parseTuple()}.
   *
   * @param conditional whether a part may be an inline if
   * @param parenthesized whether nothing at all is the empty tuple
   * @param endName a name that ends the tuple, or empty
   */
  Expression parseTuple(boolean conditional, boolean parenthesized, String endName) {
    final List<Expression> items = new ArrayList<>();
    boolean tuple = false;
    while (!atTupleEnd(endName)) {
      items.add(conditional ? parse() : parseOr());
      if (!tokens.current().isOperator(",")) {
        break;
      }
      tokens.next();
      tuple = true;
    }
    if (!tuple && items.size() == 1) {
      return items.getFirst();
    }
    if (items.isEmpty() && !parenthesized) {
      throw tokens.fail("expected an expression, got " + tokens.current().describe());
    }
    return new Expression.TupleOf(items);
  }

  private boolean atTupleEnd(String endName) {
    final Token token = tokens.current();
    return token.is(Kind.PRINT_END)
        || token.is(Kind.TAG_END)
        || token.isOperator(")")
        || (!endName.isEmpty() && token.isName(endName));
  }

  private Expression parseOr() {
    Expression left = parseAnd();
    while (tokens.skipName("or")) {
      left = new Expression.Or(left, parseAnd());
    }
    return left;
  }

  private Expression parseAnd() {
    Expression left = parseNot();
    while (tokens.skipName("and")) {
      left = new Expression.And(left, parseNot());
    }
    return left;
  }

  private Expression parseNot() {
    if (!tokens.skipName("not")) {
      return parseComparison();
    }
    tokens.enter();
    final Expression result = new Expression.Not(parseNot());
    tokens.leave();
    return result;
  }

  private Expression parseComparison() {
    final Expression first = parseSum();
    final List<Operand> rest = new ArrayList<>();
    for (Relation relation = nextRelation(); relation != null; relation = nextRelation()) {
      rest.add(new Operand(relation, parseSum()));
    }
    return rest.isEmpty() ? first : new Expression.Compare(first, rest);
  }

  private Relation nextRelation() {
    final Token token = tokens.current();
    if (token.is(Kind.OPERATOR) && RELATIONS.containsKey(token.text())) {
      tokens.next();
      return RELATIONS.get(token.text());
    }
    if (tokens.skipName("in")) {
      return Relation.IN;
    }
    if (token.isName("not") && tokens.ahead().isName("in")) {
      tokens.next();
      tokens.next();
      return Relation.NOT_IN;
    }
    return null;
  }

  private Expression parseSum() {
    Expression left = parseConcat();
    while (tokens.current().isOperator("+") || tokens.current().isOperator("-")) {
      final Operator operator = tokens.next().isOperator("+") ? Operator.ADD : Operator.SUBTRACT;
      left = new Expression.Binary(operator, left, parseConcat());
    }
    return left;
  }

  private Expression parseConcat() {
    final Expression first = parseProduct();
    if (!tokens.current().isOperator("~")) {
      return first;
    }
    final List<Expression> parts = new ArrayList<>(List.of(first));
    while (tokens.skipOperator("~")) {
      parts.add(parseProduct());
    }
    return new Expression.Concat(parts);
  }

  private Expression parseProduct() {
    Expression left = parsePower();
    for (Operator operator = nextProduct(); operator != null; operator = nextProduct()) {
      left = new Expression.Binary(operator, left, parsePower());
    }
    return left;
  }

  private Operator nextProduct() {
    if (tokens.skipOperator("*")) {
      return Operator.MULTIPLY;
    }
    if (tokens.skipOperator("/")) {
      return Operator.DIVIDE;
    }
    if (tokens.skipOperator("//")) {
      return Operator.FLOOR_DIVIDE;
    }
    return tokens.skipOperator("%") ? Operator.MODULO : null;
  }

  private Expression parsePower() {
    Expression left = parseUnary(true);
    while (tokens.skipOperator("**")) {
      left = new Expression.Binary(Operator.POWER, left, parseUnary(true));
    }
    return left;
  }

  private Expression parseUnary(boolean filtered) {
    final boolean negative = tokens.current().isOperator("-");
    Expression result;
    if (negative || tokens.current().isOperator("+")) {
      tokens.next();
      tokens.enter();
      result = new Expression.Sign(negative, parseUnary(false));
      tokens.leave();
    } else {
      result = parsePrimary();
    }
    result = parsePostfix(result);
    return filtered ? parseFilters(result) : result;
  }

  Expression parsePrimary() {
    final Token token = tokens.current();
    switch (token.kind()) {
      case NAME -> {
        tokens.next();
        return name(token.text());
      }
      case STRING -> {
        return parseStrings();
      }
      case NUMBER -> {
        return new Expression.Literal(tokens.next().value());
      }
      case OPERATOR -> {
        return parseBracketed(token.text());
      }
      case DATA, PRINT_BEGIN, PRINT_END, TAG_BEGIN, TAG_END, END ->
          throw tokens.fail("expected an expression, got " + token.describe());
    }
    throw new AssertionError(token);
  }

  private Expression name(String name) {
    return switch (name) {
      case "true", "True" -> new Expression.Literal(true);
      case "false", "False" -> new Expression.Literal(false);
      case "none", "None" -> new Expression.Literal(NoneValue.NONE);
      default -> {
        macroNames.forEach(names -> names.add(name));
        yield new Expression.Name(name);
      }
    };
  }

  /** Strings side by side are one. */
  private Expression parseStrings() {
    final StringBuilder joined = new StringBuilder();
    while (tokens.current().is(Kind.STRING)) {
      joined.append(tokens.next().text());
    }
    return new Expression.Literal(joined.toString());
  }

  private Expression parseBracketed(String bracket) {
    return switch (bracket) {
      case "(" -> {
        tokens.next();
        tokens.enter();
        final Expression inside = parseTuple(true, true, "");
        tokens.leave();
        tokens.expectOperator(")");
        yield inside;
      }
      case "[" -> parseList();
      case "{" -> parseDict();
      default -> throw tokens.fail("unexpected '" + bracket + "'");
    };
  }

  private Expression parseList() {
    tokens.expectOperator("[");
    final List<Expression> items = new ArrayList<>();
    while (!tokens.current().isOperator("]")) {
      items.add(parse());
      if (!tokens.current().isOperator("]")) {
        tokens.expectOperator(",");
      }
    }
    tokens.next();
    return new Expression.ListOf(items);
  }

  private Expression parseDict() {
    tokens.expectOperator("{");
    final List<Expression> keys = new ArrayList<>();
    final List<Expression> values = new ArrayList<>();
    while (!tokens.current().isOperator("}")) {
      keys.add(parse());
      tokens.expectOperator(":");
      values.add(parse());
      if (!tokens.current().isOperator("}")) {
        tokens.expectOperator(",");
      }
    }
    tokens.next();
    return new Expression.DictOf(keys, values);
  }

  private Expression parsePostfix(Expression start) {
    Expression result = start;
    while (true) {
      final Token token = tokens.current();
      if (token.isOperator(".")) {
        result = parseAttribute(result);
      } else if (token.isOperator("[")) {
        result = parseSubscript(result);
      } else if (token.isOperator("(")) {
        result = new Expression.Call(result, parseActuals(), token.line());
      } else {
        return result;
      }
    }
  }

  private Expression parseAttribute(Expression target) {
    final int line = tokens.next().line();
    final Token name = tokens.next();
    if (name.is(Kind.NAME)) {
      return new Expression.Attribute(target, name.text(), line);
    }
    if (name.is(Kind.NUMBER) && !(name.value() instanceof Double)) {
      return new Expression.Item(target, new Expression.Literal(name.value()), line);
    }
    throw new TemplateFault(
        "expected a name or a number after '.', got " + name.describe(), name.line());
  }

  private Expression parseSubscript(Expression target) {
    final int line = tokens.next().line();
    final List<Expression> indexes = new ArrayList<>();
    Expression slice = null;
    while (!tokens.current().isOperator("]")) {
      if (!indexes.isEmpty()) {
        tokens.expectOperator(",");
      }
      final Expression start = tokens.current().isOperator(":") ? null : parse();
      if (tokens.current().isOperator(":")) {
        slice = parseSlice(target, start, line);
        indexes.add(slice);
      } else {
        indexes.add(start);
      }
    }
    tokens.next();
    if (slice != null && indexes.size() > 1) {
      throw new TemplateFault("a slice cannot be one of several indexes", line);
    }
    if (slice != null) {
      return slice;
    }
    return new Expression.Item(
        target, indexes.size() == 1 ? indexes.getFirst() : new Expression.TupleOf(indexes), line);
  }

  private Expression parseSlice(Expression target, Expression start, int line) {
    tokens.expectOperator(":");
    final Expression stop = atSliceEnd() ? null : parse();
    final Expression step = !tokens.skipOperator(":") || atSliceEnd() ? null : parse();
    return new Expression.Slice(target, start, stop, step, line);
  }

  private boolean atSliceEnd() {
    final Token token = tokens.current();
    return token.isOperator(":") || token.isOperator("]") || token.isOperator(",");
  }

  Actuals parseActuals() {
    tokens.expectOperator("(");
    final List<Expression> positional = new ArrayList<>();
    final List<Named> named = new ArrayList<>();
    Expression extraPositional = null;
    Expression extraNamed = null;
    while (!tokens.current().isOperator(")")) {
      final boolean named0 = tokens.current().is(Kind.NAME) && tokens.ahead().isOperator("=");
      final boolean late = extraNamed != null || (!named0 && extraPositional != null);
      if (tokens.skipOperator("**")) {
        requireCall(extraNamed == null);
        extraNamed = parse();
      } else if (late) {
        throw tokens.fail("an argument stands after '*' or '**'");
      } else if (tokens.skipOperator("*")) {
        extraPositional = parse();
      } else if (named0) {
        final String name = tokens.next().text();
        tokens.next();
        named.add(new Named(name, parse()));
      } else {
        requireCall(named.isEmpty());
        positional.add(parse());
      }
      if (!tokens.current().isOperator(")")) {
        tokens.expectOperator(",");
      }
    }
    tokens.next();
    return new Actuals(positional, named, extraPositional, extraNamed);
  }

  private void requireCall(boolean right) {
    if (!right) {
      throw tokens.fail("the arguments of a call stand in the wrong order");
    }
  }

  private Expression parseFilters(Expression start) {
    Expression result = start;
    while (true) {
      final Token token = tokens.current();
      if (token.isOperator("|")) {
        tokens.next();
        result = parseFilter(result);
      } else if (token.isName("is")) {
        result = parseTest(result);
      } else if (token.isOperator("(")) {
        result = new Expression.Call(result, parseActuals(), token.line());
      } else {
        return result;
      }
    }
  }

  /** A filter's name and arguments, the bar already read. */
  Expression parseFilter(Expression input) {
    final int line = tokens.line();
    final String name = parseDottedName();
    final Actuals actuals = tokens.current().isOperator("(") ? parseActuals() : Actuals.NONE;
    return new Expression.Filter(input, name, actuals, line);
  }

  private String parseDottedName() {
    final StringBuilder name = new StringBuilder(tokens.expect(Kind.NAME).text());
    while (tokens.skipOperator(".")) {
      name.append('.').append(tokens.expect(Kind.NAME).text());
    }
    return name.toString();
  }

  private Expression parseTest(Expression input) {
    final int line = tokens.next().line();
    final boolean negated = tokens.skipName("not");
    final String name = parseDottedName();
    Actuals actuals = Actuals.NONE;
    if (tokens.current().isOperator("(")) {
      actuals = parseActuals();
    } else if (startsTestArgument(tokens.current())) {
      if (tokens.current().isName("is")) {
        throw tokens.fail("tests cannot be chained with 'is'");
      }
      actuals = new Actuals(List.of(parsePostfix(parsePrimary())), List.of(), null, null);
    }
    final Expression test = new Expression.Test(input, name, actuals, line);
    return negated ? new Expression.Not(test) : test;
  }

  private static boolean startsTestArgument(Token token) {
    return switch (token.kind()) {
      case NAME -> !AFTER_TEST.contains(token.text());
      case STRING, NUMBER -> true;
      case OPERATOR -> token.isOperator("[") || token.isOperator("{");
      case DATA, PRINT_BEGIN, PRINT_END, TAG_BEGIN, TAG_END, END -> false;
    };
  }
}
