from pathlib import Path

from palaver.persistence.embedded.socket import socket_owner


def test_nobody_listens_where_there_is_no_socket(tmp_path: Path) -> None:
    assert socket_owner(tmp_path / "socket") is None
