"""Patterns match what they match in Go, or are a one-line error."""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path

import pytest

from memtui.pprof.pattern import compile_go_pattern
from memtui.pprof.stacks import StacksError

TEXTS = ("main.Map[int]", "a\nb", "Äpfel", "net/http.(*conn).serve", "x{,3}", "12", "a--b", "A")

UNDERSTOOD = (
    r"main\.Map", "(?i)MAIN", r"\.(?i:MAP)", r"m(?i)AIN|x$", "(?i)(m)AIN|SERVE", "(?s)a.b", "a.b",
    r"(?m)^b$", "b$", r"\z", r"\Amain", "[[:upper:]]", "[^[:alpha:][:punct:]]", r"[\w.]+\[", "[[]",
    r"\Q(*conn)\E", r"\x41", r"\x{c4}", r"(?P<name>m)a", "(?<name>m)a", "x{,3}", "1{1}2", "a--b",
    r"[+--]b", "[--9]b",
    r"\pL", r"^\PL+$", r"\pN", "[]a]", "[&&~~||]", "a*?b", "", "(|x)", r"\bserve\b",
    "()", r"\101", "(?:a|b)\n", "(?U)a*", r"\p{Greek}", r"\QC\C\E", r"\\C", r"[(?P<n>](?P<n>a)",
)  # fmt: skip

REFUSED = (
    "(", ")", "a**", "a++", "a{2}{3}", "a{1001}", "(?=a)", "(?<!a)b", r"(a)\1",
    r"\C", r"\\\C", r"[\C]", r"\Z", r"\y", "[a", "[[:nope:]]", "*a", "(?P<n>a)(?P<n>b)", "\\",
    "(?z)", "[b-a]", r"\x{110000}", "(?#note)", "(?>a)", "a|*",
)  # fmt: skip


@pytest.mark.go
def test_patterns_match_what_they_match_in_go(tmp_path: Path) -> None:
    program = tmp_path / "main.go"
    program.write_text(GO)
    expressions = [text.encode().hex() for text in UNDERSTOOD]
    texts = [text.encode().hex() for text in TEXTS]
    go = Path(sysconfig.get_path("scripts")) / "go"
    command = [str(go), "run", str(program), ",".join(expressions), ",".join(texts)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    answers = dict(zip(UNDERSTOOD, run.stdout.split("\n"), strict=False))
    for text in UNDERSTOOD:
        compiled = compile_go_pattern(text, "focus")
        ours = ["1" if compiled is None or compiled.search(each) else "0" for each in TEXTS]
        assert "".join(ours) == answers[text], text


@pytest.mark.parametrize("text", REFUSED)
def test_patterns_that_go_rejects_are_errors(text: str) -> None:
    with pytest.raises(StacksError, match="focus: invalid regular expression") as refused:
        compile_go_pattern(text, "focus")
    assert "\n" not in str(refused.value)


GO = """package main

import (
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"strings"
)

func main() {
	for _, expression := range strings.Split(os.Args[1], ",") {
		text, _ := hex.DecodeString(expression)
		compiled := regexp.MustCompile(string(text))
		for _, each := range strings.Split(os.Args[2], ",") {
			text, _ := hex.DecodeString(each)
			if compiled.MatchString(string(text)) {
				fmt.Print("1")
			} else {
				fmt.Print("0")
			}
		}
		fmt.Println()
	}
}
"""
