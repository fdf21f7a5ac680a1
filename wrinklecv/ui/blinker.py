"""Two pictures of one size in turn, at one place: our own few lines of code.

It can be stopped and stepped by hand, and does not start by itself where the system asks for less motion.
"""

from __future__ import annotations

from streamlit.components.v2 import component

from .slider import address_of

_HTML = """
<div class="frame"><img class="first" draggable="false"><img class="later" draggable="false">
  <span class="name"></span></div>
<div class="row"><button class="run" type="button"></button>
  <button class="step" type="button">Other photo</button>
  <span class="calm"></span></div>
"""
_CSS = """
.frame { position: relative; line-height: 0; overflow: hidden; border-radius: 6px; }
img { width: 100%; user-select: none; }
img.later { position: absolute; inset: 0; height: 100%; visibility: hidden; }
.frame.second img.later { visibility: visible; }
.name { position: absolute; top: 8px; left: 8px; max-width: calc(100% - 32px); padding: 0 8px;
  border-radius: 4px; font: 0.9rem/1.8 var(--st-font, sans-serif); color: #fff;
  background: rgb(20 20 20 / 0.7); }
.frame.second .name { left: auto; right: 8px; }
.row { display: flex; gap: 8px; align-items: center; flex-wrap: wrap; padding: 8px 2px 2px; }
button { font: 0.9rem/1.6 var(--st-font, sans-serif); padding: 2px 12px; border-radius: 6px; cursor: pointer;
  color: var(--st-text-color, inherit); background: var(--st-secondary-background-color, transparent);
  border: 1px solid var(--st-border-color, currentcolor); }
button:focus-visible { outline: 3px solid var(--st-primary-color, #2f6f9f); }
.calm { font: 0.85rem/1.6 var(--st-font, sans-serif); color: var(--st-text-color, inherit); }
"""
_JS = """
export default function ({ data, parentElement }) {
  const find = (selector) => parentElement.querySelector(selector);
  const frame = find(".frame"), run = find(".run");
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  find("img.first").src = data.first; find("img.first").alt = data.first_name;
  find("img.later").src = data.later; find("img.later").alt = data.later_name;
  find(".calm").textContent = calm ? "Not started: this system asks for less motion." : "";
  const show = (second) => {
    frame.classList.toggle("second", second);
    find(".name").textContent = second ? data.later_name : data.first_name;
  };
  const other = () => show(!frame.classList.contains("second"));
  const stop = () => { clearInterval(frame.timer); frame.timer = 0; run.textContent = "Blink"; };
  const start = () => { frame.timer = setInterval(other, data.every_ms); run.textContent = "Stop"; };
  const wasStopped = frame.seen ? !frame.timer : calm;
  frame.seen = true;
  stop();
  show(frame.classList.contains("second"));
  if (!wasStopped) start();
  run.onclick = () => (frame.timer ? stop() : start());
  find(".step").onclick = () => { stop(); other(); };
  return () => clearInterval(frame.timer);
}
"""
_EVERY_MS = 800
"""Slow enough for photosensitive people: fewer than three changes a second."""
_blinker = component("wrinklecv_blinker", html=_HTML, css=_CSS, js=_JS)


def show_blinking(first: bytes, later: bytes, names: tuple[str, str], *, key: str) -> None:
    """Show two JPEGs of one size in turn, each with its name while it is seen."""
    data = {
        "first": address_of(first),
        "later": address_of(later),
        "first_name": names[0],
        "later_name": names[1],
        "every_ms": _EVERY_MS,
    }
    _blinker(key=key, data=data)
