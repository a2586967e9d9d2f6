"""What can be asked of a server that lets a sender's messages overtake each other."""

from __future__ import annotations

from collections import Counter, defaultdict

from ..checks import COUNTER, NumberCheck


class AnyOrderCheck(NumberCheck):
    """No message arrives twice. So none is missing if as many arrive as were sent, which is what
    the generator waits for."""

    def __init__(self) -> None:
        super().__init__()
        self._complete: Counter[int] = Counter()
        """By sender: everything up to here has arrived."""
        self._ahead: defaultdict[int, set[int]] = defaultdict(set)

    def take(self, number: int) -> None:
        sender, count = divmod(number, COUNTER)
        ahead = self._ahead[sender]
        self.deliveries += 1
        if (count <= self._complete[sender] or count in ahead) and len(self.problems) < 10:
            self.problems.append(f"message {count} of sender {sender} came twice")
        ahead.add(count)
        while self._complete[sender] + 1 in ahead:
            self._complete[sender] += 1
            ahead.remove(self._complete[sender])
