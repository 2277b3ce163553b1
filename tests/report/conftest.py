from __future__ import annotations

import pytest
import report_contents

from linnet.report import Contents


@pytest.fixture(scope="session")
def digits() -> Contents:
    return report_contents.digits()


@pytest.fixture(scope="session")
def handwritten() -> Contents:
    return report_contents.handwritten()
