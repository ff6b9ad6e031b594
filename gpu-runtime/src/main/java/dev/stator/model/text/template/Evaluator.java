package dev.stator.model.text.template;

import dev.stator.model.text.template.Expression.Actuals;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Evaluates expressions within one render. One thread. */
final class Evaluator {
  private final Budget budget;

  /** Where the render is, for messages. */
  private int line;

  Evaluator(Budget budget) {
    this.budget = budget;
  }

  int line() {
    return line;
  }

  void at(int newLine) {
    line = newLine;
  }

  Object evaluate(Expression expression, Scope scope) {
    budget.step();
    budget.enter();
    final Object value = value(expression, scope);
    budget.leave();
    return value;
  }

  private Object value(Expression expression, Scope scope) {
    return switch (expression) {
      case Expression.Literal literal -> literal.value();
      case Expression.Name name -> scope.get(name.name());
      case Expression.ListOf list -> new ListValue(budget, evaluateAll(list.items(), scope));
      case Expression.TupleOf tuple -> new TupleValue(budget, evaluateAll(tuple.items(), scope));
      case Expression.DictOf dict -> dict(dict, scope);
      case Expression.Sign sign -> sign(sign, scope);
      case Expression.Not not -> !Types.isTrue(evaluate(not.operand(), scope));
      case Expression.And and -> {
        final Object left = evaluate(and.left(), scope);
        yield Types.isTrue(left) ? evaluate(and.right(), scope) : left;
      }
      case Expression.Or or -> {
        final Object left = evaluate(or.left(), scope);
        yield Types.isTrue(left) ? left : evaluate(or.right(), scope);
      }
      case Expression.Binary binary ->
          Arithmetic.apply(
              budget,
              binary.operator(),
              evaluate(binary.left(), scope),
              evaluate(binary.right(), scope));
      case Expression.Concat concat -> concat(concat, scope);
      case Expression.Compare compare -> compare(compare, scope);
      case Expression.Conditional conditional -> conditional(conditional, scope);
      case Expression.Attribute attribute -> attribute(attribute, scope);
      case Expression.Item item -> item(item, scope);
      case Expression.Slice slice -> slice(slice, scope);
      case Expression.Call call -> call(call, scope, Map.of());
      case Expression.Filter filter -> filter(filter, scope);
      case Expression.Test test -> test(test, scope);
    };
  }

  private List<Object> evaluateAll(List<Expression> expressions, Scope scope) {
    final List<Object> values = new ArrayList<>(expressions.size());
    for (final Expression expression : expressions) {
      values.add(evaluate(expression, scope));
    }
    return values;
  }

  private Object dict(Expression.DictOf literal, Scope scope) {
    final DictValue.Builder dict = new DictValue.Builder(budget);
    for (int i = 0; i < literal.keys().size(); i++) {
      final Object key = evaluate(literal.keys().get(i), scope);
      dict.put(key, evaluate(literal.values().get(i), scope));
    }
    return dict.build();
  }

  private Object sign(Expression.Sign sign, Scope scope) {
    final Object operand = evaluate(sign.operand(), scope);
    if (operand instanceof Undefined undefined) {
      throw undefined.fault();
    }
    if (!Types.isNumber(operand)) {
      throw new TemplateFault("a sign needs a number, got '" + Types.name(operand) + "'");
    }
    return sign.negative()
        ? Numbers.negate(operand)
        : operand instanceof Boolean bool ? (bool ? 1L : 0L) : operand;
  }

  private Object concat(Expression.Concat concat, Scope scope) {
    final TextBuilder out = new TextBuilder(budget);
    for (final Object part : evaluateAll(concat.parts(), scope)) {
      out.append(Repr.str(budget, part));
    }
    return out.toString();
  }

  private Object compare(Expression.Compare compare, Scope scope) {
    Object left = evaluate(compare.first(), scope);
    for (final Expression.Operand operand : compare.rest()) {
      final Object right = evaluate(operand.expression(), scope);
      if (!Comparison.holds(budget, operand.relation(), left, right)) {
        return false;
      }
      left = right;
    }
    return true;
  }

  private Object conditional(Expression.Conditional conditional, Scope scope) {
    if (Types.isTrue(evaluate(conditional.test(), scope))) {
      return evaluate(conditional.then(), scope);
    }
    return conditional.otherwise() == null
        ? new Undefined("an inline if has no else and is false")
        : evaluate(conditional.otherwise(), scope);
  }

  private Object attribute(Expression.Attribute attribute, Scope scope) {
    final Object target = evaluate(attribute.target(), scope);
    line = attribute.line();
    return Subscripts.attribute(budget, target, attribute.name());
  }

  private Object item(Expression.Item item, Scope scope) {
    final Object target = evaluate(item.target(), scope);
    final Object index = evaluate(item.index(), scope);
    line = item.line();
    return Subscripts.item(budget, target, index);
  }

  private Object slice(Expression.Slice slice, Scope scope) {
    final Object target = evaluate(slice.target(), scope);
    final Object start = evaluateOrNone(slice.start(), scope);
    final Object stop = evaluateOrNone(slice.stop(), scope);
    final Object step = evaluateOrNone(slice.step(), scope);
    line = slice.line();
    return Slices.of(budget, target, start, stop, step);
  }

  private Object evaluateOrNone(Expression expression, Scope scope) {
    return expression == null ? NoneValue.NONE : evaluate(expression, scope);
  }

  /** Calls; {@code extra} are further arguments by name. */
  Object call(Expression.Call call, Scope scope, Map<String, Object> extra) {
    final Object callee = evaluate(call.callee(), scope);
    final Arguments arguments = arguments(call.actuals(), scope, extra);
    line = call.line();
    final Object result =
        switch (callee) {
          case Function function -> function.call(arguments);
          case Undefined undefined -> throw undefined.fault();
          default ->
              throw new TemplateFault("'" + Types.name(callee) + "' object cannot be called");
        };
    line = call.line();
    return result;
  }

  private Object filter(Expression.Filter filter, Scope scope) {
    final Object input = evaluate(filter.input(), scope);
    final Arguments arguments = arguments(filter.actuals(), scope, Map.of());
    line = filter.line();
    return Filters.apply(budget, filter.name(), input, arguments);
  }

  private Object test(Expression.Test test, Scope scope) {
    final Object input = evaluate(test.input(), scope);
    final Arguments arguments = arguments(test.actuals(), scope, Map.of());
    line = test.line();
    return Tests.holds(budget, test.name(), input, arguments);
  }

  private Arguments arguments(Actuals actuals, Scope scope, Map<String, Object> extra) {
    if (actuals == Actuals.NONE && extra.isEmpty()) {
      return Arguments.NONE;
    }
    final List<Object> positional = evaluateAll(actuals.positional(), scope);
    final Map<String, Object> named = new LinkedHashMap<>();
    for (final Expression.Named argument : actuals.named()) {
      putNew(named, argument.name(), evaluate(argument.value(), scope));
    }
    if (actuals.extraPositional() != null) {
      final Iterator<Object> rest =
          Iteration.of(budget, evaluate(actuals.extraPositional(), scope));
      while (rest.hasNext()) {
        budget.elements(1);
        positional.add(rest.next());
      }
    }
    if (actuals.extraNamed() != null) {
      addAll(named, evaluate(actuals.extraNamed(), scope));
    }
    extra.forEach((name, value) -> putNew(named, name, value));
    return new Arguments(positional, named);
  }

  private static void addAll(Map<String, Object> named, Object extra) {
    if (!(extra instanceof DictValue dict)) {
      throw new TemplateFault("'**' needs a dict, got '" + Types.name(extra) + "'");
    }
    for (final DictValue.Entry entry : dict.entries()) {
      putNew(named, StringMethods.string(entry.key()), entry.value());
    }
  }

  private static void putNew(Map<String, Object> named, String name, Object value) {
    if (named.put(name, value) != null) {
      throw new TemplateFault("a call passes '" + name + "' twice");
    }
  }
}
