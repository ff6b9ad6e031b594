"""Prints random templates and what Python's jinja2 makes of them, one JSON object a line.

Run: python3 fuzz.py SEED COUNT. What the Java engine answers differently belongs into expressions.py.
"""

import json
import random
import re
import sys
import warnings

from expressions import VARIABLES
from huggingface import render

NAMES = list(VARIABLES) + ["missing", "x", "y", "ns", "loop", "messages"]
STRINGS = ["", "a", "ab", "Hello World", "a,b,,c", " pad ", "é🎉", "x\\ny", "</t>", "5", "-1.5", "%s-%s", "{}", "it's", "\\u2028", "A1 b2"]
METHODS = {
    "upper": 0, "lower": 0, "title": 0, "capitalize": 0, "swapcase": 0, "strip": 1, "lstrip": 1, "rstrip": 1, "split": 2,
    "rsplit": 2, "splitlines": 1, "startswith": 3, "endswith": 3, "find": 3, "rfind": 3, "count": 3, "index": 2, "replace": 3,
    "join": 1, "center": 2, "ljust": 2, "rjust": 2, "zfill": 1, "partition": 1, "rpartition": 1, "isdigit": 0, "isalpha": 0,
    "isupper": 0, "islower": 0, "istitle": 0, "isspace": 0, "isalnum": 0, "removeprefix": 1, "removesuffix": 1, "expandtabs": 1,
    "get": 2, "items": 0, "keys": 0, "values": 0, "append": 1, "copy": 0, "pop": 1, "format": 2,
}
FILTERS = {
    "upper": 0, "lower": 0, "title": 0, "capitalize": 0, "trim": 1, "length": 0, "count": 0, "first": 0, "last": 0, "join": 2,
    "reverse": 0, "list": 0, "sort": 2, "unique": 1, "string": 0, "int": 2, "float": 1, "abs": 0, "round": 2, "sum": 2, "min": 1,
    "max": 1, "default": 2, "d": 1, "replace": 3, "tojson": 0, "map": 2, "select": 2, "reject": 2, "selectattr": 3,
    "rejectattr": 2, "items": 0, "dictsort": 3, "batch": 2, "slice": 2, "indent": 3, "center": 1, "truncate": 3, "format": 2,
    "wordcount": 0, "e": 0, "groupby": 1, "attr": 1,
}
FILTER_WORDS = ["upper", "string", "length", "odd", "defined", "none", "equalto", "name", "age", "first", "a", "gt", "int", "x.0"]
TESTS = [
    "defined", "undefined", "none", "string", "number", "integer", "float", "boolean", "true", "false", "mapping", "iterable",
    "sequence", "odd", "even", "lower", "upper", "callable", "divisibleby 3", "eq 1", "in xs", "in(s)", "sameas none", "ne 'a'",
]
BINARY = ["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or"]


# Where Python itself is odd: constants are folded by other rules, roots may be complex, and addresses print.
SKIPPED = re.compile(r"(\d|[Tt]rue|[Ff]alse|[Nn]one|[})])\[[^\]]*:|\|e\b|(loop|ns): |-[\d.e]+ \*\*|\bis (not )?\w+\.|- \w+\.(items|keys)")
ODD = re.compile(r" (at|bt) 0x|\dj\)|Markup\(|(?i:<generator)|\(\.\.\.\)|\[\.\.\.\]")


class Grammar:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.budget = 0

    def pick(self, *options):
        return self.random.choice(options)()

    def chance(self, p):
        return self.random.random() < p

    def name(self):
        return self.random.choice(NAMES)

    def string(self):
        return "'" + self.random.choice(STRINGS).replace("'", "\\'") + "'"

    def number(self):
        return self.random.choice(["0", "1", "2", "3", "7", "10", "-1", "0.5", "2.0", "1e3", "100", "-2.5", "1_000"])

    def literal(self):
        return self.random.choice(["true", "false", "none", "True", "None"])

    def atom(self):
        return self.pick(self.name, self.name, self.name, self.string, self.number, self.literal)

    def expr(self, depth=3):
        if depth <= 0 or self.chance(0.15):
            return self.atom()
        return self.pick(
            self.atom,
            lambda: "%s %s %s" % (self.expr(depth - 1), self.random.choice(BINARY), self.expr(depth - 1)),
            lambda: "%s %s %s" % (self.expr(depth - 1), self.random.choice(BINARY), self.expr(depth - 1)),
            lambda: "(%s)" % self.expr(depth - 1),
            lambda: "not %s" % self.expr(depth - 1),
            lambda: "-%s" % self.expr(depth - 1),
            lambda: "%s is %s%s" % (self.expr(depth - 1), "not " if self.chance(0.3) else "", self.random.choice(TESTS)),
            lambda: "%s if %s else %s" % (self.expr(depth - 1), self.expr(depth - 1), self.expr(depth - 1)),
            lambda: self.filter(depth),
            lambda: self.filter(depth),
            lambda: self.filter(depth),
            lambda: self.method(depth),
            lambda: self.method(depth),
            lambda: self.subscript(depth),
            lambda: self.subscript(depth),
            lambda: "[%s]" % ", ".join(self.expr(depth - 1) for _ in range(self.random.randrange(4))),
            lambda: "(%s,)" % ", ".join(self.expr(depth - 1) for _ in range(self.random.randrange(1, 3))),
            lambda: "{%s}" % ", ".join("%s: %s" % (self.atom(), self.expr(depth - 1)) for _ in range(self.random.randrange(3))),
            lambda: "range(%s)" % self.random.choice(["3", "1, 4", "5, 0, -2", "n", "0"]),
            lambda: "%s ** %s" % (self.number(), self.random.choice(["0", "1", "2", "3", "-1", "0.5"])),
        )

    def args(self, most, depth, words=False):
        count = self.random.randrange(most + 1)
        return ", ".join(
            "'%s'" % self.random.choice(FILTER_WORDS) if words and self.chance(0.6) else self.expr(depth - 2) for _ in range(count)
        )

    def filter(self, depth):
        name = self.random.choice(list(FILTERS))
        words = name in ("map", "select", "reject", "selectattr", "rejectattr", "groupby", "attr", "join", "sort", "unique")
        args = self.args(FILTERS[name], depth, words)
        if name in ("map", "sort", "join", "sum", "min", "max", "unique") and self.chance(0.3):
            args = "attribute='%s'" % self.random.choice(["name", "age", "tags", "x", "0", "name.0", "ok"])
        base = "%s|%s%s" % (self.expr(depth - 1), name, "(%s)" % args if args else "")
        lazy = name in ("map", "select", "reject", "selectattr", "rejectattr", "items", "unique", "reverse", "batch", "slice")
        return base + "|list" if lazy and self.chance(0.8) else base

    def method(self, depth):
        name = self.random.choice(list(METHODS))
        return "%s.%s(%s)" % (self.expr(depth - 1), name, self.args(METHODS[name], depth))

    def subscript(self, depth):
        target = self.expr(depth - 1)
        return self.pick(
            lambda: "%s.%s" % (target, self.random.choice(["a", "name", "items", "l1", "index", "last", "length", "0"])),
            lambda: "%s[%s]" % (target, self.expr(depth - 2)),
            lambda: "%s[%s:%s]" % (target, self.bound(), self.bound()),
            lambda: "%s[%s:%s:%s]" % (target, self.bound(), self.bound(), self.random.choice(["1", "-1", "2", "-2", ""])),
        )

    def bound(self):
        return self.random.choice(["", "", "0", "1", "-1", "2", "-2", "100", "-100"])

    def tag(self, inside):
        open_, close = self.random.choice(["", "-", "", "+", ""]), self.random.choice(["", "-", "", ""])
        return "{%%%s %s %s%%}" % (open_, inside, close)

    def text(self):
        return self.random.choice(["", " ", "\n", "  \n ", "a", "\n  b", "c\n", "\t", "{ ", "} "])

    def body(self, depth):
        return self.text() + "".join(self.statement(depth) + self.text() for _ in range(self.random.randrange(1, 3)))

    def statement(self, depth):
        show = lambda: "{{%s %s %s}}" % (self.random.choice(["", "-", ""]), self.expr(2), self.random.choice(["", "-", ""]))
        if depth <= 0:
            return show()
        t = self.tag
        return self.pick(
            show,
            show,
            lambda: t("set %s = %s" % (self.random.choice(["x", "y", "n", "xs"]), self.expr(2))),
            lambda: t("set ns = namespace(a=%s)" % self.expr(1)) + t("set ns.a = %s" % self.expr(2)) + "{{ ns.a }}",
            lambda: t("set x") + self.body(depth - 1) + t("endset"),
            lambda: t("if " + self.expr(2)) + self.body(depth - 1) + t("endif"),
            lambda: t("if " + self.expr(2)) + self.body(depth - 1) + t("else") + self.body(depth - 1) + t("endif"),
            lambda: t("for %s in %s%s" % (self.random.choice(["x", "y", "x, y"]), self.iterable(), self.condition()))
            + self.body(depth - 1)
            + (t("else") + self.body(0) if self.chance(0.2) else "")
            + t("endfor"),
            lambda: t("for x in xs") + self.body(depth - 1) + t("if " + self.expr(1)) + t(self.random.choice(["break", "continue"]))
            + t("endif") + self.body(0) + t("endfor"),
            lambda: t("macro m(x, y=%s)" % self.expr(1)) + self.body(depth - 1) + t("endmacro") + "{{ m(%s) }}" % self.args(3, 3),
            lambda: t("filter " + self.random.choice(["upper", "trim", "length", "indent", "replace('a', 'b')"])) + self.body(depth - 1)
            + t("endfilter"),
            lambda: t("with x = %s" % self.expr(1)) + self.body(depth - 1) + t("endwith"),
            lambda: "{#" + self.random.choice(["", "-"]) + " c " + self.random.choice(["", "-"]) + "#}",
        )

    def iterable(self):
        return self.random.choice(["xs", "words", "users", "d.items()", "d", "s", "range(3)", "nothing", "xs[::-1]", "d|dictsort", self.expr(2)])

    def condition(self):
        return " if " + self.expr(1) if self.chance(0.2) else ""

    def template(self):
        return self.body(3) if self.chance(0.5) else "{{ %s }}" % self.expr(4)


def main():
    warnings.simplefilter("ignore")
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    grammar = Grammar(seed)
    for _ in range(count):
        source = grammar.template()
        if SKIPPED.search(source):
            continue
        out = render(source, **VARIABLES)
        if out is None and grammar.chance(0.7) or ODD.search(out or "") or len(out or "") > 5000:
            continue
        print(json.dumps({"source": source, "vars": VARIABLES, "out": out}, ensure_ascii=False))


if __name__ == "__main__":
    main()
