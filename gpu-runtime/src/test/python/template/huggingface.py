"""Renders chat templates as Hugging Face's apply_chat_template does, with Python's jinja2 3.1.6."""

import json
from datetime import datetime

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

NOW = datetime(2026, 11, 21, 9, 5, 7)
"""What strftime_now reads: the same instant as in the Java tests."""

TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}


class Generation(Extension):
    """The generation tag: renders as its body."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_render"), [], [], body).set_lineno(line)

    def _render(self, caller):
        return caller()


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


def environment():
    env = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
    )
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda format: NOW.strftime(format)
    return env


ENVIRONMENT = environment()


def render(source, messages=(), tools=None, add_generation_prompt=False, **variables):
    """The text, or None where Python raises anything at all."""
    try:
        names = {**TOKENS, "documents": None, **variables}
        names.update(
            messages=list(messages), tools=tools or None, add_generation_prompt=add_generation_prompt
        )
        return ENVIRONMENT.from_string(source).render(names)
    except Exception:
        return None
