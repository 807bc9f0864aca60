"""Values become plain JSON and come back."""

from dataclasses import dataclass

import pytest

from ledger import plain


@dataclass(frozen=True, slots=True)
class Pairs:
    covers: tuple[tuple[str, int], ...]


def test_pairs_keep_their_shape() -> None:
    assert plain.dump(Pairs((("a", 1), ("b", 2)))) == {"covers": [["a", 1], ["b", 2]]}
    assert plain.load(Pairs, {"covers": [["a", 1], ["b", 2]]}) == Pairs((("a", 1), ("b", 2)))


def test_a_pair_of_three_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        plain.load(Pairs, {"covers": [["a", 1, 2]]})
