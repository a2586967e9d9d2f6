import os
import stat
from pathlib import Path

from palaver.persistence.embedded.programs import reachable_copy


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_copy_is_complete_and_readable(tmp_path: Path) -> None:
    source, copy = tmp_path / "source", tmp_path / "programs-2"
    (source / "bin").mkdir(parents=True)
    (source / "bin/tool").write_text("run")
    (source / "bin/tool").chmod(0o700)
    (source / "share/deep").mkdir(parents=True)
    (source / "share/deep/text").write_text("read")
    (source / "share/deep/text").chmod(0o600)
    (source / "share/unwanted").touch()
    (tmp_path / "programs-1.new").mkdir()  # left by a start that was killed
    reachable_copy(source, ["bin/tool", "share/deep/**/*"], copy)
    assert (copy / "share/deep/text").read_text() == "read"
    assert mode(copy) == mode(copy / "bin") == mode(copy / "bin/tool") == 0o755
    assert mode(copy / "share/deep/text") == 0o644
    assert sorted(os.listdir(tmp_path)) == ["programs-2", "source"]
    assert os.listdir(copy / "share") == ["deep"]
