"""Writes conversations.json: chats rendered with real templates by Python's jinja2, or null where it raises.

Run: python3 conversations.py > ../../resources/dev/stator/model/text/template/conversations.json
"""

import json
from pathlib import Path

from huggingface import render

HERE = Path(__file__).parent
TEMPLATES = HERE / "../../resources/dev/stator/model/text/template/templates"
STATOR_TINY = HERE / "../../../../models/stator-tiny/train/chat_template.jinja"

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Current weather, in \"°C\" – 天気",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "City's name", "enum": ["Zürich", "東京", "New York"]},
                "days": {"type": "integer", "minimum": 1, "maximum": 14, "default": 1},
                "units": {"type": ["string", "null"]},
            },
            "required": ["city"],
        },
    },
}
ADD = {
    "type": "function",
    "function": {
        "name": "add",
        "parameters": {"type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "number"}}},
        "return": {"type": "number"},
        "strict": True,
    },
}
BARE = {"name": "bare", "description": "no wrapping function", "parameters": {}}


def system(text):
    return {"role": "system", "content": text}


def user(text):
    return {"role": "user", "content": text}


def assistant(text, **more):
    return {"role": "assistant", "content": text, **more}


def call(name, arguments, id="abcDEF123"):
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def tool(text, id="abcDEF123", **more):
    return {"role": "tool", "content": text, "tool_call_id": id, **more}


OBJECT = {"city": "Zürich", "days": 3, "deep": {"x": [1, 2.5, None, True], "y": {}}}
STRING = json.dumps(OBJECT, ensure_ascii=False)

CHATS = {
    "plain": [user("Hello!")],
    "system": [system("You are terse."), user("Hello!")],
    "system trimmed": [system("  You are terse.\n\n"), user("  Hello! \n")],
    "empty system": [system(""), user("Hello!")],
    "late system": [user("Hello!"), system("Be brief."), assistant("ok"), user("go on")],
    "turns": [user("1+1?"), assistant("2"), user("and 2+2?")],
    "long": [system("s")] + [m for i in range(12) for m in (user("question %d" % i), assistant("answer %d" % i))] + [user("end")],
    "ends with assistant": [user("1+1?"), assistant("2")],
    "two users": [user("a"), user("b")],
    "two assistants": [user("a"), assistant("b"), assistant("c"), user("d")],
    "assistant first": [assistant("hi"), user("hello")],
    "empty user": [user("")],
    "empty assistant": [user("a"), assistant(""), user("b")],
    "unicode": [system("Ты – помощник 🤖"), user("你好,世界 👋🏽 é\u0301 \u200b\u00a0 ﷽"), assistant("नमस्ते 🎉"), user("ok")],
    "control characters": [user("tab\tnull\u0000 bell\u0007 quote\" back\\slash\r\nline\u2028sep")],
    "template text": [user("{{ messages }} {% if x %} {# c #} <|im_end|> [INST] <|eot_id|>")],
    "whitespace": [user("\n\n  a  \n b \n\n"), assistant("\n\n c \n\n"), user("\t")],
    "think": [user("a"), assistant("<think>\nhmm\n\nwell\n</think>\n\nanswer"), user("b")],
    "think last": [user("a"), assistant("<think>\nhmm\n</think>\n\nanswer")],
    "think twice": [user("a"), assistant("<think>x</think>y</think>z"), user("b")],
    "reasoning field": [user("a"), assistant("answer", reasoning_content="because"), user("b")],
    "reasoning field last": [user("a"), assistant("answer", reasoning_content="\nbecause\n")],
    "reasoning null": [user("a"), assistant("answer", reasoning_content=None)],
    "tool call, object": [user("weather?"), assistant("", tool_calls=[call("get_weather", OBJECT)])],
    "tool call, string": [user("weather?"), assistant("", tool_calls=[call("get_weather", STRING)])],
    "tool call, null content": [user("weather?"), assistant(None, tool_calls=[call("get_weather", STRING)])],
    "tool call, text before": [user("weather?"), assistant("Let me see.", tool_calls=[call("get_weather", OBJECT)])],
    "tool call, empty arguments": [user("weather?"), assistant("", tool_calls=[call("get_weather", {})])],
    "tool call, bare": [user("w?"), assistant("", tool_calls=[{"name": "get_weather", "arguments": OBJECT}])],
    "tool call, no content": [user("w?"), {"role": "assistant", "tool_calls": [call("get_weather", OBJECT)]}],
    "tool calls empty": [user("w?"), assistant("none", tool_calls=[]), user("ok")],
    "tool calls null": [user("w?"), assistant("none", tool_calls=None), user("ok")],
    "tool result": [
        user("weather?"),
        assistant("", tool_calls=[call("get_weather", OBJECT)]),
        tool("12 °C, \"rain\""),
    ],
    "tool result, null content call": [
        user("weather?"),
        assistant(None, tool_calls=[call("get_weather", STRING)]),
        tool("12 °C"),
        assistant("It rains."),
        user("thanks"),
    ],
    "tool result, answered": [
        system("Use tools."),
        user("weather?"),
        assistant("", tool_calls=[call("get_weather", OBJECT)]),
        tool('{"temperature": 12}'),
        assistant("It is 12 degrees."),
        user("And tomorrow?"),
    ],
    "parallel calls": [
        user("weather in both?"),
        assistant("", tool_calls=[call("get_weather", {"city": "東京"}), call("add", {"a": 1, "b": -2.50}, "xyzXYZ789")]),
        tool("1"),
        tool("2", "xyzXYZ789"),
    ],
    "parallel calls, null content": [
        user("both?"),
        assistant(None, tool_calls=[call("add", '{"a": 1}'), call("add", '{"a": 2}', "xyzXYZ789"), call("add", "{}", "aaaaaaaaa")]),
        tool("1"),
        tool("2", "xyzXYZ789"),
        tool("3", "aaaaaaaaa"),
        assistant("done"),
    ],
    "chained calls": [
        user("add twice"),
        assistant("", tool_calls=[call("add", {"a": 1, "b": 2})]),
        tool("3"),
        assistant("", tool_calls=[call("add", {"a": 3, "b": 3})]),
        tool("6"),
        assistant("6"),
        user("again"),
        assistant("<think>t</think>", tool_calls=[call("add", {"a": 6, "b": 6})]),
        tool("12"),
    ],
    "tool result as object": [user("w?"), assistant("", tool_calls=[call("add", {})]), tool({"t": 12, "ü": [1]})],
    "tool result as list": [user("w?"), assistant("", tool_calls=[call("add", {})]), tool([1, "a"])],
    "tool result nested": [user("w?"), assistant("", tool_calls=[call("add", {})]), tool({"content": "inner"})],
    "tool result number": [user("w?"), assistant("", tool_calls=[call("add", {})]), tool(12.0)],
    "tool result, short id": [user("w?"), assistant("", tool_calls=[call("add", {}, "short")]), tool("1", "short")],
    "tool result, no id": [user("w?"), {"role": "tool", "content": "1"}],
    "ipython role": [user("w?"), assistant("", tool_calls=[call("add", {})]), {"role": "ipython", "content": "out"}],
    "tool_results role": [user("w?"), assistant("", tool_calls=[call("add", {})]), dict(tool("1"), role="tool_results")],
    "tool response text": [user("a"), assistant("b"), user("<tool_response>x</tool_response>"), assistant("c")],
    "unknown role": [user("a"), {"role": "developer", "content": "b"}],
    "no role": [{"content": "a"}],
    "no content": [{"role": "user"}],
    "null content": [{"role": "user", "content": None}],
    "assistant null": [user("a"), assistant(None), user("b")],
    "content parts": [user([{"type": "text", "text": "hi"}])],
    "content number": [user(5)],
    "no messages": [],
    "only system": [system("s")],
    "extra fields": [dict(user("a"), name="Ann", cache=True), assistant("b", refusal=None, audio={"id": 1}), user("c")],
    "message is text": ["hello"],
    "big numbers": [user("n"), assistant("", tool_calls=[call("add", {"a": 12345678901234567890, "b": 1e22, "c": 1e-7, "d": 100.0})])],
}

TOOLSETS = {"none": [], "add": [ADD], "weather": [WEATHER], "both": [WEATHER, ADD], "bare": [BARE]}

VARIABLES = {
    "thinking off": {"enable_thinking": False},
    "thinking on": {"enable_thinking": True},
    "date": {"date_string": "1 Jan 2000"},
    "tools in system": {"tools_in_user_message": False},
    "built-in tools": {"builtin_tools": ["code_interpreter", "brave_search", "add"]},
    "custom tools": {"custom_tools": [ADD]},
    "documents": {"documents": [{"title": "t", "text": "x"}]},
}


def templates():
    for path in sorted(TEMPLATES.glob("*.jinja")):
        yield path.name, path.read_text(encoding="utf-8")
    yield "stator-tiny", STATOR_TINY.read_text(encoding="utf-8")


def cases():
    """Every chat plain and with tools; a few with every tool set and variable."""
    for chat in CHATS:
        yield chat, "none", True, None
        yield chat, "add", True, None
    for chat in ("system", "turns", "tool result, answered"):
        for tools in TOOLSETS:
            yield chat, tools, False, None
        for variables in VARIABLES:
            yield chat, "weather", True, variables
            yield chat, "none", True, variables


def main():
    print('{"chats": %s,' % json.dumps(CHATS, ensure_ascii=False))
    print('"toolsets": %s,' % json.dumps(TOOLSETS, ensure_ascii=False))
    print('"variables": %s,' % json.dumps(VARIABLES, ensure_ascii=False))
    lines = []
    for name, source in templates():
        for chat, tools, prompt, variables in cases():
            out = render(source, CHATS[chat], TOOLSETS[tools], prompt, **(VARIABLES[variables] if variables else {}))
            lines.append(json.dumps([name, chat, tools, prompt, variables, out], ensure_ascii=False))
    print('"cases": [\n%s\n]}' % ",\n".join(lines))


if __name__ == "__main__":
    main()
