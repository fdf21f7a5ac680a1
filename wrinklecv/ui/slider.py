"""Two pictures of one size, one over the other, with a slider between them: our own few lines of code."""

from __future__ import annotations

import base64

from streamlit.components.v2 import component

_HTML = """
<div class="frame">
  <img class="right" draggable="false"><img class="left" draggable="false">
  <span class="left name"></span><span class="right name"></span>
  <input type="range" min="0" max="100" step="0.5" value="50"><div class="bar"></div>
</div>
"""
_CSS = """
.frame { position: relative; line-height: 0; overflow: hidden; border-radius: 6px; --at: 50%; }
img { width: 100%; user-select: none; }
img.left { position: absolute; inset: 0; height: 100%; clip-path: inset(0 calc(100% - var(--at)) 0 0); }
.name { position: absolute; top: 8px; padding: 0 8px; border-radius: 4px; line-height: 1.8;
  font: 0.9rem/1.8 var(--st-font, sans-serif); color: #fff; background: rgb(20 20 20 / 0.7); }
.left.name { left: 8px; } .right.name { right: 8px; }
input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; appearance: none;
  cursor: ew-resize; touch-action: pan-y; }
input::-webkit-slider-thumb { appearance: none; width: 1px; height: 1px; }
input::-moz-range-thumb { border: 0; width: 1px; height: 1px; }
.bar { position: absolute; top: 0; bottom: 0; left: var(--at); width: 2px; margin-left: -1px;
  background: #fff; box-shadow: 0 0 3px #000; pointer-events: none; }
.bar::after { content: "\\2039 \\203A"; position: absolute; top: 50%; left: 1px; translate: -50% -50%;
  padding: 0 7px; border-radius: 20px; font: bold 1.2rem/1.7 sans-serif; white-space: nowrap; color: #222;
  background: #fff; box-shadow: 0 0 4px #000; }
input:focus-visible + .bar { outline: 3px solid var(--st-primary-color, #2f6f9f); }
"""
_JS = """
export default function ({ data, parentElement }) {
  const find = (selector) => parentElement.querySelector(selector);
  const frame = find(".frame"), range = find("input");
  for (const side of ["left", "right"]) {
    find("img." + side).src = data[side];
    find("img." + side).alt = data[side + "_name"];
    find(".name." + side).textContent = data[side + "_name"];
  }
  range.setAttribute("aria-label", data.label);
  const place = () => {
    frame.style.setProperty("--at", range.value + "%");
    range.setAttribute("aria-valuetext", Math.round(range.value) + " % " + data.left_name);
  };
  range.oninput = place;
  place();
}
"""
_slider = component("wrinklecv_slider", html=_HTML, css=_CSS, js=_JS)


def show_slider(left: bytes, right: bytes, names: tuple[str, str], *, key: str) -> None:
    """Show two JPEGs of one size; the slider's place tells how much of the left one is seen."""
    data = {
        "left": address_of(left),
        "right": address_of(right),
        "left_name": names[0],
        "right_name": names[1],
        "label": f"Slide between {names[0]} and {names[1]}",
    }
    _slider(key=key, data=data)


def address_of(jpeg: bytes) -> str:
    """Return the picture as its own address: nothing is kept on the server, nothing asked of anyone."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
