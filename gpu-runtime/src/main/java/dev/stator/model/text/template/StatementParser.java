package dev.stator.model.text.template;

import dev.stator.model.text.template.Statement.Branch;
import dev.stator.model.text.template.Statement.Formals;
import dev.stator.model.text.template.Statement.Target;
import dev.stator.model.text.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Parses a template: text, print statements and tags. */
final class StatementParser {
  private static final Set<String> RESERVED =
      Set.of("true", "True", "false", "False", "none", "None");
  private static final List<String> SPECIALS = List.of("caller", "kwargs", "varargs");
  private static final Expression CAPTURED = new Expression.Name(Statement.BODY);

  /** Parsing one nesting level takes about four times the stack of evaluating it. */
  private static final int STACK_RATIO = 4;

  private final TokenStream tokens;
  private final ExpressionParser expressions;

  /** Loops around the current statement, macros between or not. */
  private int loops;

  /** Loops that a break here could leave: those within the innermost macro. */
  private int breakable;

  private StatementParser(TokenStream tokens) {
    this.tokens = tokens;
    this.expressions = new ExpressionParser(tokens);
  }

  /**
   * Parses a whole template.
   *
   * @throws TemplateFault with the line, when it is not one
   */
  static List<Statement> parse(String source, Limits limits) {
    final TokenStream tokens = new TokenStream(Lexer.tokens(source), limits.depth() / STACK_RATIO);
    final StatementParser parser = new StatementParser(tokens);
    final List<Statement> body = parser.parseUntil(Set.of());
    if (!tokens.current().is(Kind.END)) {
      throw tokens.fail("unexpected " + tokens.current().describe());
    }
    return body;
  }

  /** Statements up to a tag with one of those names, which is then the current token. */
  private List<Statement> parseUntil(Set<String> ends) {
    tokens.enter();
    final List<Statement> body = new ArrayList<>();
    while (!tokens.current().is(Kind.END)) {
      final Token token = tokens.next();
      if (token.is(Kind.DATA)) {
        body.add(new Statement.Text(token.text()));
      } else if (token.is(Kind.PRINT_BEGIN)) {
        body.add(new Statement.Print(expressions.parseTuple(), token.line()));
        tokens.expect(Kind.PRINT_END);
      } else {
        if (tokens.current().is(Kind.NAME) && ends.contains(tokens.current().text())) {
          tokens.leave();
          return body;
        }
        body.add(parseTag());
        tokens.expect(Kind.TAG_END);
      }
    }
    if (!ends.isEmpty()) {
      throw tokens.fail(
          "the template ends where "
              + String.join(" or ", ends.stream().sorted().toList())
              + " was expected");
    }
    tokens.leave();
    return body;
  }

  /** The body of a tag that has just been read; its end tag's name becomes the current token. */
  private List<Statement> parseBody(String... ends) {
    tokens.skipOperator(":");
    tokens.expect(Kind.TAG_END);
    return parseUntil(Set.of(ends));
  }

  private List<Statement> parseBodyAndEnd(String end) {
    final List<Statement> body = parseBody(end);
    tokens.next();
    return body;
  }

  private Statement parseTag() {
    final Token tag = tokens.expect(Kind.NAME);
    return switch (tag.text()) {
      case "set" -> parseSet(tag.line());
      case "if" -> parseIf(tag.line());
      case "for" -> parseFor(tag.line());
      case "macro" -> parseMacro();
      case "call" -> parseCall(tag.line());
      case "filter" -> parseFilterBlock(tag.line());
      case "with" -> parseWith(tag.line());
      case "print" -> parsePrint(tag.line());
      case "generation" -> parseGeneration();
      case "break", "continue" -> parseJump(tag);
      default -> throw new TemplateFault("unknown tag '" + tag.text() + "'", tag.line());
    };
  }

  private Statement parseSet(int line) {
    final Target target = parseTarget(true, "");
    if (tokens.skipOperator("=")) {
      return new Statement.Assign(target, expressions.parseTuple(), line);
    }
    Expression value = CAPTURED;
    while (tokens.skipOperator("|")) {
      value = expressions.parseFilter(value);
    }
    return new Statement.AssignBlock(target, value, parseBodyAndEnd("endset"), line);
  }

  private Statement parseIf(int firstLine) {
    final List<Branch> branches = new ArrayList<>();
    int line = firstLine;
    while (true) {
      final Expression test = expressions.parseTuple(false, false, "");
      branches.add(new Branch(test, parseBody("elif", "else", "endif"), line));
      final Token end = tokens.next();
      if (end.isName("elif")) {
        line = end.line();
      } else {
        final boolean otherwise = end.isName("else");
        return new Statement.If(branches, otherwise ? parseBodyAndEnd("endif") : List.of());
      }
    }
  }

  private Statement parseFor(int line) {
    loops++;
    final Target target = parseTarget(false, "in");
    tokens.expectName("in");
    final Expression items = expressions.parseTuple(false, false, "recursive");
    final Expression test = tokens.skipName("if") ? expressions.parse() : null;
    final boolean recursive = tokens.skipName("recursive");
    breakable++;
    final List<Statement> body = parseBody("endfor", "else");
    breakable--;
    final boolean otherwise = tokens.next().isName("else");
    final List<Statement> none = otherwise ? parseBodyAndEnd("endfor") : List.of();
    loops--;
    return new Statement.For(target, items, test, recursive, body, none, line);
  }

  private Statement parseMacro() {
    final String name = parseNewName();
    expressions.beginMacro();
    final Formals formals = parseFormals();
    final List<Statement> body = parseFunctionBody("endmacro");
    return new Statement.Macro(name, withSpecials(formals, expressions.endMacro()), body);
  }

  private Statement parseCall(int line) {
    expressions.beginMacro();
    final Formals formals =
        tokens.current().isOperator("(")
            ? parseFormals()
            : new Formals(List.of(), List.of(), List.of());
    if (!(expressions.parse() instanceof Expression.Call call)) {
      throw new TemplateFault("a call block needs a call", line);
    }
    final List<Statement> body = parseFunctionBody("endcall");
    return new Statement.CallBlock(withSpecials(formals, expressions.endMacro()), call, body, line);
  }

  /** A body that runs as a function of its own, so that no break leaves it. */
  private List<Statement> parseFunctionBody(String end) {
    final int outer = breakable;
    breakable = 0;
    final List<Statement> body = parseBodyAndEnd(end);
    breakable = outer;
    return body;
  }

  private Formals parseFormals() {
    tokens.expectOperator("(");
    final List<String> names = new ArrayList<>();
    final List<Expression> defaults = new ArrayList<>();
    while (!tokens.current().isOperator(")")) {
      if (!names.isEmpty()) {
        tokens.expectOperator(",");
      }
      final String name = parseNewName();
      if (names.contains(name)) {
        throw tokens.fail("two parameters are named '" + name + "'");
      }
      names.add(name);
      if (tokens.skipOperator("=")) {
        defaults.add(expressions.parse());
      } else if (!defaults.isEmpty()) {
        throw tokens.fail("a parameter without a default stands after one with a default");
      }
    }
    tokens.next();
    return new Formals(names, defaults, List.of());
  }

  private Formals withSpecials(Formals formals, Set<String> used) {
    final int withoutDefault = formals.names().size() - formals.defaults().size();
    if (used.contains("caller") && formals.names().subList(0, withoutDefault).contains("caller")) {
      throw tokens.fail("a parameter named caller needs a default");
    }
    final List<String> specials =
        SPECIALS.stream().filter(s -> used.contains(s) && !formals.names().contains(s)).toList();
    return new Formals(formals.names(), formals.defaults(), specials);
  }

  private Statement parseFilterBlock(int line) {
    Expression value = expressions.parseFilter(CAPTURED);
    while (tokens.skipOperator("|")) {
      value = expressions.parseFilter(value);
    }
    return new Statement.FilterBlock(value, parseBodyAndEnd("endfilter"), line);
  }

  private Statement parseWith(int line) {
    final List<Target> targets = new ArrayList<>();
    final List<Expression> values = new ArrayList<>();
    while (!tokens.current().is(Kind.TAG_END)) {
      if (!targets.isEmpty()) {
        tokens.expectOperator(",");
      }
      final int outer = loops;
      loops = 0; // These are parameters, and may be called loop.
      targets.add(parseTarget(false, ""));
      loops = outer;
      tokens.expectOperator("=");
      values.add(expressions.parse());
    }
    return new Statement.With(targets, values, parseBodyAndEnd("endwith"), line);
  }

  private Statement parsePrint(int line) {
    final List<Statement> prints = new ArrayList<>();
    while (!tokens.current().is(Kind.TAG_END)) {
      if (!prints.isEmpty()) {
        tokens.expectOperator(",");
      }
      prints.add(new Statement.Print(expressions.parse(), line));
    }
    return new Statement.Scoped(prints);
  }

  /** Marks the assistant's text for training; it renders as its body, which has its own names. */
  private Statement parseGeneration() {
    return new Statement.Scoped(parseFunctionBody("endgeneration"));
  }

  private Statement parseJump(Token tag) {
    if (breakable == 0) {
      throw new TemplateFault("'" + tag.text() + "' stands outside of a loop", tag.line());
    }
    return tag.isName("break") ? new Statement.Break() : new Statement.Continue();
  }

  private String parseNewName() {
    final String name = tokens.expect(Kind.NAME).text();
    requireAssignable(!RESERVED.contains(name));
    return name;
  }

  /** One target, or several with commas; {@code endName} ends them where it is not empty. */
  private Target parseTarget(boolean namespaces, String endName) {
    final List<Target> parts = new ArrayList<>();
    boolean tuple = false;
    while (!tokens.current().is(Kind.TAG_END)
        && (endName.isEmpty() || !tokens.current().isName(endName))) {
      parts.add(parseSimpleTarget(namespaces));
      if (!tokens.skipOperator(",")) {
        break;
      }
      tuple = true;
    }
    requireAssignable(!parts.isEmpty());
    return tuple ? new Target.Tuple(parts) : parts.getFirst();
  }

  private Target parseSimpleTarget(boolean namespaces) {
    if (namespaces && tokens.current().is(Kind.NAME) && tokens.ahead().isOperator(".")) {
      final String namespace = parseNewName();
      tokens.next();
      return new Target.NamespaceAttribute(namespace, tokens.expect(Kind.NAME).text());
    }
    return target(expressions.parsePrimary());
  }

  private Target target(Expression expression) {
    return switch (expression) {
      case Expression.Name(String name) -> {
        if (loops > 0 && name.equals("loop")) {
          throw tokens.fail("a loop cannot assign to the name loop");
        }
        yield new Target.Name(name);
      }
      case Expression.TupleOf(List<Expression> items) ->
          new Target.Tuple(items.stream().map(this::target).toList());
      default -> throw tokens.fail("a tag assigns to something that is not a name");
    };
  }

  private void requireAssignable(boolean assignable) {
    if (!assignable) {
      throw tokens.fail("a tag assigns to something that is not a name");
    }
  }
}
