"""Forty names and texts that do harm where they are not shown as text."""

from __future__ import annotations

STRANGER = "evil.example"
TEXTS = (
    f"![x](http://{STRANGER}/a.png)",
    f"![x][y]\n\n[y]: http://{STRANGER}/a.png",
    f"[click](https://{STRANGER}/)",
    "[click](javascript:alert(1))",
    f"<https://{STRANGER}/auto>",
    f"http://{STRANGER}/bare",
    f"HTTPS://{STRANGER.upper()}/BARE",
    f"www.{STRANGER}/bare",
    f"WwW.{STRANGER}",
    f"me@{STRANGER}",
    f"mailto:me@{STRANGER}",
    f"see http://{STRANGER}.",
    f"<img src=http://{STRANGER}/i.png>",
    f"<script src=//{STRANGER}/s.js></script>",
    f"<iframe src=//{STRANGER}></iframe>",
    f"<svg onload=fetch('//{STRANGER}')>",
    f"<style>@import '//{STRANGER}';</style>",
    "</div><b>bold</b> &lt;i&gt; &#x1F600;",
    f"<!-- {STRANGER}",
    "$x^2$ and $$\\int$$",
    "\\(x\\) \\[y\\]",
    ":red[red] :blue-badge[badge]",
    ":material/delete: :streamlit: :smile: :+1:",
    "-> <- <-> -- >= <= ~=",
    "**bold** _it_ ~~gone~~ `code`",
    "# title\n## title",
    "- item\n1. item\n> quote",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "```\ncode\n```",
    "[^1] [ ] [x] \\ \\\\",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "\t=1+1",
    f'=HYPERLINK("http://{STRANGER}")',
    "\u202egpj.exe \u2066x\u2069 עברית العربية",
    "\U0001f600\U0001f469\u200d\U0001f52c é e\u0301 写真 \ud83d",
    "\x1b[31mred\x07\x00\r\n\x7f {0.__class__} %s ${x} ; DROP TABLE subjects",
    "x" * 10_000 + f" http://{STRANGER}",
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def sound(text: str, most: int = 10_001) -> str:
    """Return a text as a browser can send it: whole characters only, and no NUL."""
    return text.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")[:most]


def file_names() -> list[str]:
    """Return those texts as file names that a disk can hold, each once."""
    made = []
    for number, text in enumerate(TEXTS):
        plain = sound(text).replace("/", "∕")
        made.append(f"{plain.encode()[:200].decode('utf-8', 'ignore')}{number}.jpg")
    return made
