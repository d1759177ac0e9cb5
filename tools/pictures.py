"""Draw the pictures of the documentation: python tools/pictures.py."""

from pathlib import Path

from PIL import Image

import brickfield as bf
from brickfield.sample.store import ensure_sample

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "docs" / "images" / "sample.png"

store = bf.open_store(ensure_sample(ROOT / ".demo"))
result = bf.render(store, size=(900, 700), camera="orbit:35,20,1.6", timeout=300)
TARGET.parent.mkdir(exist_ok=True)
# A palette makes it a third as large, and nobody sees it.
Image.fromarray(result.image).convert("RGB").quantize(192).save(TARGET, optimize=True)
print(f"{TARGET.relative_to(ROOT)}: {TARGET.stat().st_size / 1024:.0f} KiB")
