"""What runs the programs of the docs lets none pass that fails."""

import pytest

from palaver.tests.docs.running import run


@pytest.mark.parametrize(
    ("program", "status", "said"),
    [
        ("assert __name__ == '__main__'; import __main__; assert __main__.__name__", 0, ""),
        ("raise SystemExit(3)", 3, ""),
        ("1 / 0", 1, "ZeroDivisionError"),
        ("import warnings; warnings.warn('old')", 1, "UserWarning: old"),
    ],
)
def test_it_ends_as_the_program_does(program, status, said, tmp_path):
    ended, told = run(program, tmp_path)
    assert ended == status
    assert said in told


def test_one_that_takes_too_long_is_ended(tmp_path):
    assert run("import time; time.sleep(50)", tmp_path, seconds=0.1) == (None, "")
