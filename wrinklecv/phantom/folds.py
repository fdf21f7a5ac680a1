"""The colour of shade in skin: the walls of a fold light it again, with the colour of skin.

A place that sees the share s of the light from outside, and for the rest skin of reflectance r, is lit by
s / (1 - r (1 - s)): for small 1 - s it loses (1 - s)(1 - r). So folds and pores lose least of the colour
that skin reflects best, red. Folds are drawn so at every depth; by the formula a deep one on light skin is a
little less red (0.45 instead of 0.55 of a depth of 0.6). Radiosity of a cavity:
Sparrow and Cess (1978), "Radiation Heat Transfer".
"""

from __future__ import annotations

import numpy as np

from ..records import Float

_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)  # Rec. 709, linear light


def fold_colour(skin: Float) -> Float:
    """Return how strongly shade takes each colour away (3,) from `skin` (3,), 1 as luminance."""
    lost = 1 - skin
    return np.asarray(lost * (skin @ _LUMINANCE) / ((skin * lost) @ _LUMINANCE), dtype=np.float32)


def folded(light: Float, share: Float, colour: Float) -> Float:
    """Darken linear `light` (h, w, 3) so that exactly `share` (h, w) of its luminance is left.

    colour: (3,) of `fold_colour`.
    """
    dark = light * np.power(share[..., None], colour)
    left = share * (light @ _LUMINANCE) / np.maximum(dark @ _LUMINANCE, 1e-9)
    return np.asarray(dark * left[..., None])
