"""The chat templates of the two bases that come with the program: they write all that a row can hold.

Conversations without tools and names read as the bases' first templates wrote them. Definitions stand
one a line in the system turn, and calls in the assistant's turn, each as JSON between tags.
"""

import tempfile
from pathlib import Path
from typing import Final

_BODY: Final = """\
{%- set ns = namespace(tools='') %}
{%- for tool in tools or [] %}
    {%- set ns.tools = ns.tools + tool | tojson + '\\n' %}
{%- endfor %}
{%- if ns.tools %}
    {%- set ns.tools = '<tools>\\n' + ns.tools + '</tools>' %}
{%- endif %}
{%- if not messages or messages[0]['role'] != 'system' %}
    {%- set usual = USUAL %}
    {%- if usual or ns.tools %}
        {{- '<|im_start|>system\\n' + usual }}
        {{- '\\n\\n' if usual and ns.tools }}
        {{- ns.tools + '<|im_end|>\\n' }}
    {%- endif %}
{%- endif %}
{%- for message in messages %}
    {{- '<|im_start|>' + message['role'] }}
    {{- ' name=' + message['name'] if message.get('name') }}
    {{- '\\n' + (message['content'] or '') }}
    {%- for call in message.get('tool_calls') or [] %}
        {{- '\\n' if message['content'] or not loop.first }}
        {{- '<tool_call>\\n{"name": ' + call['function']['name'] | tojson + ', "arguments": ' }}
        {{- call['function']['arguments'] | tojson + '}\\n</tool_call>' }}
    {%- endfor %}
    {%- if loop.first and message['role'] == 'system' and ns.tools %}
        {{- '\\n\\n' + ns.tools }}
    {%- endif %}
    {{- '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""

TINY: Final = _BODY.replace("USUAL", "''")
"""The template of the tiny base."""

PRACTICE: Final = _BODY.replace(
    "USUAL", "'You are a helpful AI assistant named SmolLM, trained by Hugging Face'"
)
"""The template of the practice base, with the system prompt it was first trained with."""

_FILE: Final = "chat_template.jinja"


def give(folder: Path, template: str) -> None:
    """Write a template into a base's folder, in one step, where an older one stands there."""
    place = folder / _FILE
    if place.is_file() and place.read_text("utf-8") == template:
        return
    with tempfile.TemporaryDirectory(dir=folder, prefix=".new-") as scratch:
        fresh = Path(scratch) / _FILE
        fresh.write_text(template, "utf-8")
        fresh.replace(place)
