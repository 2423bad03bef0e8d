"""Puts the pictures that the browser tests took into the README's folder: `make screenshots` runs both."""

from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
TAKEN, SHOWN = ROOT / "tests" / "e2e" / "artifacts", ROOT / "docs" / "screenshots"
SCREENS = {1440: 900, 390: 844}  # as much as a screen shows
PICTURES = {
    "cabinet-quote-1440": "cabinet-request",
    "work-inbox-1440": "work-inbox",
    "partner-deal-1440": "partner-deal",
    "process-instance-1440": "process-instance",
    "work-deal-1440": "work-deal",
    "cabinet-quote-390": "cabinet-phone",
}

SHOWN.mkdir(parents=True, exist_ok=True)
for taken, shown in PICTURES.items():
    with Image.open(TAKEN / f"{taken}.png") as picture:
        top = picture.crop((0, 0, picture.width, min(picture.height, SCREENS[picture.width])))
        top.save(SHOWN / f"{shown}.png", optimize=True)
