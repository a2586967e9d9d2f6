"""The planted bugs do what they say, and no bug is planted by mistake."""

import subprocess
import sys

import pytest

from palaver.engine.testing.sabotage import BUGS, plant


def test_there_is_no_other_bug():
    with pytest.raises(ValueError, match="there is no bug 'typo', only drop-commit, "):
        plant("typo")


@pytest.mark.parametrize("module", ["palaver.gateway.cli", "palaver.engine", "palaver.gateway"])
def test_the_product_never_loads_them(module):
    code = f"import {module}, sys; assert 'palaver.engine.testing.sabotage' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("bug", BUGS)
def test_each_replaces_one_method(bug):
    code = f"""
from palaver.engine.testing import sabotage
from palaver.actors.fanout import FanOut
from palaver.actors.resume import ResumeRead
from palaver.persistence.postgres.writer import Writer
before = (Writer.append, FanOut.event, ResumeRead.answer)
sabotage.plant({bug!r})
after = (Writer.append, FanOut.event, ResumeRead.answer)
assert sum(a is not b for a, b in zip(before, after)) == 1
"""
    subprocess.run([sys.executable, "-c", code], check=True)
