"""Chat templates of many kinds: some write all that a conversation holds, most leave something out."""

from curator.tune.local.bases import templates

HEAD = "<|im_start|>{{ m['role'] }}\n"
SAID = HEAD + "{{ m.content }}"
END = "<|im_end|>\n"
PROMPT = "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
TOOLS = "{% for t in tools or [] %}{{ t | tojson }}\n{% endfor %}"


def each_tool(inner):
    return "{% for t in tools or [] %}" + inner + "{% endfor %}"


def each_call(inner):
    return "{% for c in m.tool_calls or [] %}" + inner + "{% endfor %}"


def each_argument(inner, which=""):
    items = "c.function.arguments.items()"
    return "{% for k, v in " + items + which + " %}" + inner + "{% endfor %}"


def each_parameter(inner):
    items = "t.function.parameters.properties.items()"
    return "{% for p, s in " + items + " %}" + inner + "{% endfor %}"


def every(inner, tools=TOOLS, prompt=PROMPT):
    return tools + "{% for m in messages %}" + inner + "{% endfor %}" + prompt


def prompt_of(text):
    return "{% if add_generation_prompt %}" + text + "{% endif %}"


NAME = "{{ c.function.name }}"
CALLS = each_call("<tool_call>{{ c.function | tojson }}</tool_call>")
WORDS = "{{ t.function.name }}{{ t.function.description }}"

TEMPLATES = {
    "writes all": every(HEAD + "{{ m.name + ': ' if m.name }}{{ m.content }}" + CALLS + END),
    "ours": templates.TINY,
    "of the practice base": templates.PRACTICE,
    "no system message": every("{% if m.role != 'system' %}" + SAID + CALLS + END + "{% endif %}"),
    "no calls": every(SAID + END),
    "no tools": every(SAID + CALLS + END, tools=""),
    "only the first tool": every(SAID + CALLS + END, tools="{{ tools[0] | tojson if tools }}"),
    "names of tools": every(SAID + CALLS + END, tools=each_tool("{{ t.function.name }}")),
    "no types": every(
        SAID + CALLS + END, tools=each_tool(WORDS + each_parameter("{{ p }}{{ s.description }}"))
    ),
    "names of calls": every(SAID + each_call(NAME) + END),
    "texts of arguments": every(
        SAID + each_call(NAME + each_argument("{{ k }}={{ v }};", " if v is string")) + END
    ),
    "arguments as XML": every(
        SAID + each_call(NAME + each_argument("<{{ k }}>{{ v }}</{{ k }}>")) + END
    ),
    "arguments as text": every(
        SAID + each_call("{{ '[' + c.function.name + c.function.arguments + ']' }}") + END
    ),
    "sorted arguments": every(SAID + each_call("{{ c.function | tojson(sort_keys=true) }}") + END),
    "trims": every(HEAD + "{{ m.content | trim }}" + CALLS + END),
    "capitals": every(HEAD + "{{ m.content | upper }}" + CALLS + END),
    "of the web": every(HEAD + "{{ m.content | e }}" + CALLS + END),
    "the first 20 letters": every(HEAD + "{{ m.content[:20] }}" + CALLS + END),
    "one line": every(HEAD + "{{ m.content | replace('\\n', ' ') }}" + CALLS + END),
    "JSON": every(HEAD + "{{ m.content | tojson }}" + CALLS + END),
    "no old thoughts": every(
        HEAD
        + "{% if m.role == 'assistant' and not loop.last %}{{ m.content.split('</think>')[-1] }}"
        + "{% else %}{{ m.content }}{% endif %}"
        + CALLS
        + END
    ),
    "no end": every(SAID + CALLS + "\n"),
    "an end before the text": every(HEAD + "<|im_end|>{{ m.content }}" + CALLS),
    "ends of users only": every(SAID + CALLS + "{% if m.role == 'user' %}<|im_end|>{% endif %}\n"),
    "a space at the border": every(
        "{{ m.role }}: {{ m.content }}" + CALLS + END, prompt=prompt_of("assistant: ")
    ),
    "a border in a word": every(
        "{{ m.role }}:{{ m.content }}" + CALLS + END, prompt=prompt_of("assistant:")
    ),
    "system for the first question": every(
        "{% if m.role != 'system' or messages | selectattr('role', 'equalto', 'user') | list "
        "| length < 2 %}" + SAID + CALLS + END + "{% endif %}"
    ),
    "raises": "{{ raise_exception('never') }}",
    "breaks": "{{ messages[0].content + 1 }}",
    "system first": "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}"
    + every(SAID + CALLS + END),
}
