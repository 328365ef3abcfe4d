"""Amounts, shares, names and stacks as pane 4 writes them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from memtui.panes.profile.formatting import (
    Measure,
    amount,
    bar,
    bare_name,
    change,
    fitting_name,
    frame_lines,
    function_of,
    highlighted,
    on_one_line,
    short_name,
    shown_name,
)
from memtui.render.cells import text_of

MIB = 1 << 20


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("main.main", "main.main"),
        ("github.com/acme/shop/store.(*Cache).Put", "store.(*Cache).Put"),
        ("main.Map[github.com/x/y.T]", "main.Map[github.com/x/y.T]"),
        ("net/http.(*conn).serve", "http.(*conn).serve"),
        ("runtime.goexit", "runtime.goexit"),
        ("/usr/local/go/src/runtime/proc.go", "proc.go"),
        ("net/http.(*T).Do /go/net/http/do.go:2102", "http.(*T).Do do.go:2102"),
        ("main.f /home/a b/main.go:12", "main.f main.go:12"),
    ],
)  # fmt: skip
def test_a_short_name_has_no_directories(name: str, short: str) -> None:
    assert short_name(name) == short


@pytest.mark.parametrize(
    ("name", "forms"),
    [
        (
            "github.com/acme/shop/store.(*Cache[go.shape.string]).Put",
            ["store.(*Cache[go.shape.string]).Put", "store.(*Cache[…]).Put", "(*Cache[…]).Put",
             "Put", "P…"],
        ),
        ("main.Map[github.com/x/y.T]", ["main.Map[github.com/x/y.T]", "main.Map[…]", "Map[…]"]),
        ("runtime.(*mheap).alloc.func1", ["runtime.(*mheap).alloc.func1", "(*mheap).alloc.func1",
                                          "alloc.func1", "alloc…"]),
        ("main.start.func5", ["main.start.func5", "start.func5"]),
        ("/usr/src/runtime/proc.go", ["proc.go", "proc.…"]),
        ("main.f /src/main.go:12", ["main.f main.go:12", "f main.go:12", "main.go:12"]),
        ("main.[/x]", ["main.[/x]", "[/x]"]),
        ("[libc.so.6]", ["[libc.so.6]", "[libc…"]),
        ("main.大大", ["main.大大", "大大", "大…"]),
    ],
)  # fmt: skip
def test_the_most_specific_part_of_a_name_is_cut_last(name: str, forms: list[str]) -> None:
    for form in forms:
        assert fitting_name(name, cell_len(form)) == form


@given(st.text(max_size=30), st.integers(0, 12))
def test_any_name_fits(name: str, room: int) -> None:
    assert cell_len(fitting_name(name, room)) <= room


def test_names_scroll_from_their_full_form_on() -> None:
    assert shown_name("net/http.Serve") == "http.Serve"
    assert shown_name("net/http.Serve", 1) == "net/http.Serve"
    assert shown_name("net/http.Serve", 4) == "/http.Serve"
    assert shown_name("net/http.\x1bServe", 1) == "net/http.␛Serve"


def test_amounts_have_units_and_differences_signs() -> None:
    assert [amount(value, "bytes") for value in (0, 512, -8 * MIB)] == ["0", "512B", "−8.00M"]
    assert amount(1_500_000, "nanoseconds") == "1.5ms"
    assert amount(-3, "count") == "−3"
    assert [change(value, "bytes") for value in (0, 512, -512)] == ["·", "+512B", "−512B"]
    difference = Measure("bytes", 100, is_difference=True)
    assert difference.amount(25) == "+25B"
    assert difference.share(-25) == "−25.0%"
    assert [difference.role(value) for value in (1, 0, -1)] == ["grow", "dim", "shrink"]
    assert [Measure("bytes", 100).role(value) for value in (1, 0)] == ["live", "dim"]


@pytest.mark.parametrize(
    ("part", "whole", "drawn"),
    [
        (0, 10, "    "), (1, 1000, "▏   "), (5, 10, "██  "), (10, 10, "████"), (99, 10, "████"),
        (-5, 10, "██  "), (3, 0, "    "), (9, 32, "█▏  "),
    ],
)  # fmt: skip
def test_a_bar_shows_any_value_but_zero(part: int, whole: int, drawn: str) -> None:
    assert bar(part, whole, 4) == drawn


def test_a_match_is_highlighted_in_the_name() -> None:
    spans = highlighted("store.Put", "acme/store.Put", "TORE")
    assert [(span.text, span.role) for span in spans] == [
        ("s", "text"), ("tore", "match"), (".Put", "text")
    ]  # fmt: skip
    assert [span.role for span in highlighted("store.Put", "acme/store.Put", "acme")] == ["match"]
    assert [span.role for span in highlighted("store.Put", "acme/store.Put", "x")] == ["text"]
    assert [span.role for span in highlighted("a[/x]", "a[/x]", "[/X]")] == ["text", "match"]


@pytest.mark.parametrize(
    "piece", ["a ", ".1", ".func1", "x.", "a b:", "[", "a[]", "(", "w", "/", " :1", "a.b:1"]
)
def test_a_name_is_shortened_in_linear_time(piece: str) -> None:
    def seconds(count: int) -> float:
        name = piece * count + "!"
        began = time.process_time()
        for each in (f"{name}{number}" for number in range(20)):
            short_name(each)
            function_of(each)
            bare_name(each)
            assert cell_len(fitting_name(each, 20)) <= 20
        return time.process_time() - began

    few = min(seconds(2_000) for _ in range(3))
    many = min(seconds(32_000) for _ in range(3))
    assert many < 100 * few + 0.05, "16 times the length: the square would be 256 times"


def test_a_stack_on_one_line_marks_dropped_frames() -> None:
    stack = ("main.work", "main.retry", "main.retry", "main.main", "runtime.main")
    assert on_one_line(stack, 60) == "main.work ← main.retry ×2 ← main.main ← runtime.main"
    assert on_one_line(stack, 40) == "work ← retry ×2 ← main ← main"
    assert on_one_line(stack, 24) == "work ← retry ×2 ← …"
    assert on_one_line(stack, 3) == "wo…"
    assert on_one_line((), 10) == ""


@given(st.lists(st.sampled_from(["main.a", "b.大", "x/y.Z[int]", "main.a"])), st.integers(1, 40))
def test_a_stack_on_one_line_always_fits(frames: list[str], width: int) -> None:
    assert cell_len(on_one_line(frames, width)) <= width


def test_an_expanded_stack_has_dim_runtime_frames_and_one_line_for_recursion() -> None:
    rows = frame_lines(("runtime.gopark", "a/main.f", "a/main.f", "main.g"), 2, 0, "f")
    assert [text_of(row) for row in rows] == ["  runtime.gopark", "  a/main.f ×2", "  main.g"]
    assert rows[0][1].role == "dim"
    assert [span.text for span in rows[1] if span.role == "match"] == ["f"]
