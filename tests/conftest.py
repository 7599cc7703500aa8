"""What all tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the checkout; tests that need it skip where it is not."""
    if not SHARED.is_dir():
        pytest.skip("the real data (../shared) does not stand beside this checkout")
    return SHARED
