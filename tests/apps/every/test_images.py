"""An image is made of images that are named by their content."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.projects import REPOSITORY
from tests.unit.sawhorse.test_pins import DIGEST

DOCKERFILES = sorted(
    path for path in (REPOSITORY / "lambda").rglob("*Dockerfile*") if not path.name.endswith(".dockerignore")
)


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.parent.name)
def test_an_image_is_made_of_images_of_one_digest(path: Path) -> None:
    named = re.findall(r"^FROM\s+(?:--\S+\s+)*(\S+)|^COPY\s+--from=(\S+)", path.read_text(), re.MULTILINE)
    images = [image for pair in named for image in pair if image]
    assert images
    assert [image for image in images if not DIGEST.fullmatch(image)] == []
