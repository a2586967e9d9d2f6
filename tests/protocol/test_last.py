"""The last message, where not everybody has the same."""

from palaver.protocol.last import changed, last_of, said

ONE, TWO, THREE = ({"id": f"{n}", "seq": n, "text": f"{n}"} for n in (1, 2, 3))


def test_everybody_has_the_last_that_was_for_them():
    last = said(said(None, ONE, None), TWO, ("ann",))
    assert (last_of(last, "ann"), last_of(last, "bob")) == (TWO, ONE)
    last = said(last, THREE, None)
    assert last_of(last, "ann") == last_of(last, "bob") == THREE
    first = said(None, ONE, ("ann",))
    assert (last_of(first, "ann"), last_of(first, "bob")) == (ONE, None)


def test_a_change_is_for_whoever_learns_of_it():
    last = said(None, ONE, None)
    mine = changed(last, 1, {"text": "x"}, ("ann",))
    assert mine is not None
    assert [last_of(mine, user)["text"] for user in ("ann", "bob")] == ["x", "1"]  # type: ignore[index]
    gone = changed(mine, 1, {"text": None}, None)
    assert gone is not None
    assert [last_of(gone, user)["text"] for user in ("ann", "bob")] == [None, None]  # type: ignore[index]
    assert changed(last, 7, {"text": "x"}, None) == last
    assert changed(None, 1, {}, None) is None
