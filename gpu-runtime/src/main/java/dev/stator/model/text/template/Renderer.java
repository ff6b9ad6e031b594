package dev.stator.model.text.template;

import dev.stator.model.text.template.Statement.Target;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** Runs statements within one render. One thread. */
final class Renderer {
  /** How a statement ended. */
  private enum Outcome {
    DONE,
    BREAK,
    CONTINUE
  }

  private final Budget budget;
  private final Evaluator evaluator;

  Renderer(Budget budget, Evaluator evaluator) {
    this.budget = budget;
    this.evaluator = evaluator;
  }

  /** The template's output. */
  String render(List<Statement> template, Scope scope) {
    final TextBuilder out = new TextBuilder(budget, budget.limits().outputChars());
    run(template, scope, out);
    return out.toString();
  }

  private Outcome run(List<Statement> body, Scope scope, TextBuilder out) {
    budget.enter();
    Outcome outcome = Outcome.DONE;
    for (int i = 0; i < body.size() && outcome == Outcome.DONE; i++) {
      budget.step();
      outcome = run(body.get(i), scope, out);
    }
    budget.leave();
    return outcome;
  }

  /** Runs a body for its text. */
  private String capture(List<Statement> body, Scope scope) {
    final TextBuilder out = new TextBuilder(budget);
    run(body, scope, out);
    return out.toString();
  }

  private Outcome run(Statement statement, Scope scope, TextBuilder out) {
    switch (statement) {
      case Statement.Text text -> out.append(text.text());
      case Statement.Print print -> print(print, scope, out);
      case Statement.Assign assign -> {
        evaluator.at(assign.line());
        assign(assign.target(), evaluator.evaluate(assign.value(), scope), scope);
      }
      case Statement.AssignBlock block -> {
        final Scope inner = scope.inner();
        final TextBuilder body = new TextBuilder(budget);
        final Outcome outcome = run(block.body(), inner, body);
        if (outcome != Outcome.DONE) {
          return outcome;
        }
        evaluator.at(block.line());
        assign(block.target(), filtered(block.value(), body, inner), scope);
      }
      case Statement.If choice -> {
        return choose(choice, scope, out);
      }
      case Statement.For loop -> {
        return loop(loop, scope, out);
      }
      case Statement.Macro macro ->
          scope.set(macro.name(), macro(macro.name(), macro.formals(), macro.body(), scope));
      case Statement.CallBlock block -> callBlock(block, scope, out);
      case Statement.FilterBlock block -> {
        final Scope inner = scope.inner();
        final TextBuilder body = new TextBuilder(budget);
        final Outcome outcome = run(block.body(), inner, body);
        if (outcome != Outcome.DONE) {
          return outcome;
        }
        evaluator.at(block.line());
        out.append(text(filtered(block.value(), body, inner)));
      }
      case Statement.With with -> {
        return with(with, scope, out);
      }
      case Statement.Scoped scoped -> {
        return run(scoped.body(), scope.inner(), out);
      }
      case Statement.Break ignored -> {
        return Outcome.BREAK;
      }
      case Statement.Continue ignored -> {
        return Outcome.CONTINUE;
      }
    }
    return Outcome.DONE;
  }

  private void print(Statement.Print print, Scope scope, TextBuilder out) {
    evaluator.at(print.line());
    out.append(Repr.str(budget, evaluator.evaluate(print.value(), scope)));
  }

  private Object filtered(Expression value, TextBuilder body, Scope inner) {
    inner.set(Statement.BODY, body.toString());
    return evaluator.evaluate(value, inner);
  }

  private Outcome choose(Statement.If choice, Scope scope, TextBuilder out) {
    for (final Statement.Branch branch : choice.branches()) {
      evaluator.at(branch.line());
      if (Types.isTrue(evaluator.evaluate(branch.test(), scope))) {
        return run(branch.body(), scope, out);
      }
    }
    return run(choice.otherwise(), scope, out);
  }

  private Outcome loop(Statement.For loop, Scope scope, TextBuilder out) {
    evaluator.at(loop.line());
    return loop(loop, evaluator.evaluate(loop.items(), scope), 0, scope, out);
  }

  private Outcome loop(Statement.For loop, Object items, int depth0, Scope scope, TextBuilder out) {
    final Function recurse =
        loop.recursive() ? arguments -> recurse(loop, arguments, depth0 + 1, scope) : null;
    final LoopValue state =
        new LoopValue(budget, items(loop, items, scope), length(loop, items), depth0, recurse);
    boolean finished = false; // Whether a pass ran to its end: what Jinja's else asks.
    while (state.advance()) {
      budget.step();
      final Scope inner = scope.inner();
      assign(loop.target(), state.current(), inner);
      inner.set("loop", state);
      final Outcome outcome = run(loop.body(), inner, out);
      if (outcome == Outcome.BREAK) {
        break;
      }
      finished |= outcome == Outcome.DONE;
    }
    return finished ? Outcome.DONE : run(loop.otherwise(), scope.inner(), out);
  }

  private Object recurse(Statement.For loop, Arguments arguments, int depth0, Scope scope) {
    final Object items = Signature.positional("loop", "iterable").bind(arguments)[0];
    final TextBuilder out = new TextBuilder(budget);
    loop(loop, items, depth0, scope, out);
    return out.toString();
  }

  private Iterator<Object> items(Statement.For loop, Object items, Scope scope) {
    final Iterator<Object> all = Iteration.of(budget, items);
    if (loop.test() == null) {
      return all;
    }
    return SelectionFilters.filtered(
        all,
        item -> {
          final Scope inner = scope.inner();
          assign(loop.target(), item, inner);
          return Types.isTrue(evaluator.evaluate(loop.test(), inner));
        });
  }

  private static int length(Statement.For loop, Object items) {
    return loop.test() == null ? Types.lengthOrNone(items) : -1;
  }

  private Macro macro(String name, Statement.Formals formals, List<Statement> body, Scope scope) {
    return new Macro(name, formals, budget, scope, evaluator, inner -> capture(body, inner));
  }

  private void callBlock(Statement.CallBlock block, Scope scope, TextBuilder out) {
    evaluator.at(block.line());
    final Macro caller = macro("", block.formals(), block.body(), scope);
    out.append(text(evaluator.call(block.call(), scope, Map.of("caller", caller))));
  }

  /** What stands for a block must be text already. */
  private static String text(Object value) {
    if (value instanceof String text) {
      return text;
    }
    throw new TemplateFault("a block needs text, got '" + Types.name(value) + "'");
  }

  private Outcome with(Statement.With with, Scope scope, TextBuilder out) {
    evaluator.at(with.line());
    final Scope inner = scope.inner();
    for (int i = 0; i < with.targets().size(); i++) {
      assign(with.targets().get(i), evaluator.evaluate(with.values().get(i), scope), inner);
    }
    return run(with.body(), inner, out);
  }

  private void assign(Target target, Object value, Scope scope) {
    switch (target) {
      case Target.Name(String name) -> scope.set(name, value);
      case Target.NamespaceAttribute(String namespace, String attribute) -> {
        if (!(scope.get(namespace) instanceof Namespace owner)) {
          throw new TemplateFault("'" + namespace + "' is not a namespace");
        }
        owner.set(attribute, value);
      }
      case Target.Tuple(List<Target> parts) -> {
        final Iterator<Object> values = Iteration.of(budget, value);
        for (final Target part : parts) {
          if (!values.hasNext()) {
            throw new TemplateFault(
                "there are fewer values than the " + parts.size() + " names to assign");
          }
          assign(part, values.next(), scope);
        }
        if (values.hasNext()) {
          throw new TemplateFault(
              "there are more values than the " + parts.size() + " names to assign");
        }
      }
    }
  }
}
