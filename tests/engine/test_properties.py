"""What holds whatever is written: statements keep their texts and lines, checksums their meaning, plans their order."""

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine import files, gate, refusals, statements
from engine.gate import Gate
from tests.support.engine import migration, stands, without

settings.register_profile("twokey", max_examples=60, deadline=None, database=None, derandomize=True)
settings.load_profile("twokey")

#: Each is one statement; between its first and last character is all that splits badly at semicolons.
PIECES = st.sampled_from(
    [
        "SELECT 1",
        "SELECT ';' AS \"a;b\"",
        "SELECT 'it''s; -- no comment'",
        "SELECT E'\\';'",
        "SELECT $$;\n;$$, $tag$ $$;\n$tag$",
        "SELECT /* ; /* nested; */ ; */ 1",
        "SELECT 'ä€𝄞;' -- ;\n, 2",
        "DO $$ BEGIN PERFORM 1; END $$",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END",
        "CREATE TABLE t (id int,\n\n  name text DEFAULT ';')",
    ]
)
BETWEEN = st.sampled_from(["", " ", "\n", "\n\n", "\t", " -- é;\n", "/* ;\n */"])
IDS = st.lists(st.integers(1, 99999999), min_size=1, max_size=7, unique=True)


@given(st.lists(st.tuples(BETWEEN, PIECES), min_size=1, max_size=6))
def test_statements_put_together_come_apart_as_they_were(parts: list[tuple[str, str]]) -> None:
    text, begins = "", list[int]()
    for before, piece in parts:
        text += before
        begins.append(len(text))
        text += f"{piece};"
    found = statements.split("x.sql", text)
    assert len(found) == len(parts)
    for one, (before, piece), begin in zip(found, parts, begins, strict=True):
        assert text[one.start :].startswith(one.text)
        assert one.text.endswith(piece)
        assert one.line == text.count("\n", 0, one.start) + 1
        assert one.start == begin or before.strip()  # a comment may belong to the statement after it


#: What a file may hold: nothing that people do not see, which is refused before anything is counted.
SEEN = st.characters(exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp"), exclude_characters="\u115f\u1160\u3164\uffa0")
TEXTS = st.text(alphabet=SEEN | st.sampled_from("\t\n\f\u200c\u200d"), max_size=40).map(
    lambda more: f"SELECT 1; -- {more}\nSELECT 2;\n"
)


def checksum(raw: bytes) -> str:
    return files.parse("20250101000000_x.sql", raw).checksum


@given(TEXTS)
def test_line_ends_and_a_byte_order_mark_are_no_part_of_a_checksum(text: str) -> None:
    plain = checksum(text.encode())
    assert checksum(b"\xef\xbb\xbf" + text.encode()) == plain
    assert checksum(text.replace("\n", "\r\n").encode()) == plain


@given(TEXTS, st.integers(0, 200), st.sampled_from([" ", "x", "\n", "\t", "\u00a0"]))
def test_any_other_character_is_a_part_of_it(text: str, place: int, more: str) -> None:
    place %= len(text) + 1
    assert checksum((text[:place] + more + text[place:]).encode()) != checksum(text.encode())


@given(TEXTS, TEXTS)
def test_two_texts_have_two_checksums(one: str, other: str) -> None:
    assume(one != other)
    assert checksum(one.encode()) != checksum(other.encode())


def folder(ids: list[int]) -> tuple[files.Migration, ...]:
    return tuple(migration(f"2025{id_:010d}_m", f"SELECT {id_};\n") for id_ in sorted(ids))


@given(IDS, st.data())
def test_what_passes_a_gate_goes_on_where_the_environment_before_went(ids: list[int], data: st.DataObject) -> None:
    found = folder(ids)
    here, there = data.draw(st.integers(0, len(found))), data.draw(st.integers(0, len(found)))
    certified = {file.id: file.checksum for file in data.draw(st.lists(st.sampled_from(found), unique=True))}
    before = Gate("development", stands("development", found, applied=there), certified)
    asked = stands("test", found, applied=here)
    try:
        passing, held = gate.pass_through(before, asked, gate.pending(asked, found))
    except refusals.PlanRefused:
        return
    # Nothing is skipped, nothing comes that is not there and certified, and what is held comes after.
    assert 0 < len(passing) <= there - here
    assert passing == found[here : here + len(passing)]
    assert all(file.id in certified for file in passing)
    assert [one.id for one in held] == [file.id for file in found[here + len(passing) :]]


@given(IDS, st.data())
def test_a_hole_in_the_history_before_lets_nothing_over_it(ids: list[int], data: st.DataObject) -> None:
    found = folder(ids)
    hole = data.draw(st.sampled_from(found))
    before = Gate("development", without(stands("development", found, applied=len(found)), hole.id))
    asked = stands("test", found, applied=0)
    try:
        passing, _ = gate.pass_through(before, asked, found)
    except refusals.PlanRefused:
        return
    assert all(file.id < hole.id for file in passing)
