"""Files of questions: each line is checked, and a mistake is one line that names it."""

import json
from pathlib import Path

import pytest

from core.errors import ConfigError
from maintenance.evaluation.questions import Question, read_questions, write_questions


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """Writing questions to a file and reading them restores grades, languages and kinds."""
    questions = [
        Question(tenant="acme", question="why?", relevant=("T-1", "T-2")),
        Question(
            tenant="acme", question="warum?", relevant={"T-1": 2}, language="de", kind="meaning", without=("T-9",)
        ),
        Question(tenant="acme", question="sourdough", nothing=True),
        Question(tenant="acme", ticket="T-3", relevant=("T-4",)),
    ]
    file = tmp_path / "questions.jsonl"
    write_questions(file, questions)
    assert read_questions(file) == questions
    assert [q.grades for q in questions[:2]] == [{"T-1": 1, "T-2": 1}, {"T-1": 2}]


def test_empty_lines_are_passed_over(tmp_path: Path) -> None:
    """Empty lines are skipped."""
    file = tmp_path / "questions.jsonl"
    file.write_text('\n{"tenant":"a","question":"x","relevant":["1"]}\n\n')
    assert len(read_questions(file)) == 1


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("not json", "not a JSON object"),
        ("{" * 100_000, "not a JSON object"),
        ("[]", "one object per line"),
        ('{"question":"x","relevant":["1"]}', "tenant"),
        ('{"tenant":"a","relevant":["1"]}', "give either question or ticket"),
        ('{"tenant":"a","question":" ","relevant":["1"]}', "give either question or ticket"),
        ('{"tenant":"a","question":"x","ticket":"1","relevant":["1"]}', "give either question or ticket"),
        ('{"tenant":"a","question":"x"}', "give the relevant tickets, or nothing: true"),
        (
            '{"tenant":"a","question":"x","relevant":["1"],"nothing":true}',
            "give the relevant tickets, or nothing: true",
        ),
        ('{"tenant":"a","question":"x","relevant":{"1":0}}', "grades are 1 to 100"),
        ('{"tenant":"a","question":"x","relevant":{"1":2000}}', "grades are 1 to 100"),
        ('{"tenant":" ","question":"x","relevant":["1"]}', "give the tenant"),
        ('{"tenant":"a","question":"x","relevant":["1","2"],"without":["2"]}', "these are never counted"),
        ('{"tenant":"a","ticket":"2","relevant":["2"]}', "these are never counted"),
        (json.dumps({"tenant": "a", "question": "x", "nothing": True, "without": ["1"] * 990}), "more than the 989"),
        (json.dumps({"tenant": "a", "question": "x" * 10_001, "nothing": True}), "more than the 10,000 allowed"),
        ('{"tenant":"a","question":"status:open","nothing":true}', "the question is empty"),
        ('{"tenant":"a","question":"x before:noon","nothing":true}', "is not a date or time"),
        ('{"tenant":"a","question":"x","relevant":["1"],"lang":"de"}', "lang"),
        ('{"tenant":"a","question":"x","relevant":"1"}', "relevant"),
    ],
)
def test_a_mistake_names_its_line(tmp_path: Path, line: str, words: str) -> None:
    """The error names the line and says what to write."""
    file = tmp_path / "questions.jsonl"
    file.write_text(f'{{"tenant":"a","question":"x","relevant":["1"]}}\n{line}\n')
    with pytest.raises(ConfigError, match=r"questions\.jsonl:2: ") as raised:
        read_questions(file)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_of_windows_is_read(tmp_path: Path, encoding: str) -> None:
    """A byte order mark, UTF-16, line ends of Windows and half an emoji change nothing."""
    file = tmp_path / "questions.jsonl"
    lines = ['{"tenant":"ä","question":"x","relevant":["1"]}', '{"tenant":"ä","question":"y \\ud83d","nothing":true}']
    file.write_bytes("\r\n".join([*lines, ""]).encode(encoding))
    assert [(one.tenant, one.question) for one in read_questions(file)] == [("ä", "x"), ("ä", "y \ufffd")]


def test_a_file_without_questions_is_refused(tmp_path: Path) -> None:
    """An empty file and a missing one are refused."""
    file = tmp_path / "questions.jsonl"
    file.write_text("\n")
    with pytest.raises(ConfigError, match="has no questions"):
        read_questions(file)
    with pytest.raises(ConfigError, match="no such file"):
        read_questions(tmp_path / "missing.jsonl")
