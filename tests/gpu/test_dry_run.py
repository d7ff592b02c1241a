"""The checks for a GPU run on the CPU, as far as that can: here the quick ones, in CI all."""

import ast
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
QUICK = ("loss_with_tensors", "device_assert", "isolation")


def test_the_quick_checks_pass_without_a_gpu(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    words = ["--device", "cpu", "--only", ",".join(QUICK), "--json", str(report)]
    done = subprocess.run(
        [sys.executable, str(HERE / "check.py"), *words],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    verdicts = {name: one["verdict"] for name, one in json.loads(report.read_text()).items()}
    assert verdicts == dict.fromkeys(QUICK, "PASS") | {"isolation": "SKIP"}


def test_every_check_is_run() -> None:
    """No check is written and forgotten: each takes a place and reports what it found."""
    written = {
        node.name
        for file in HERE.glob("of_*.py")
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef)
    }
    listed = {
        node.attr
        for node in ast.walk(ast.parse((HERE / "check.py").read_text()))
        if isinstance(node, ast.Attribute) and node.attr in written
    }
    assert listed == written
    assert len(written) == 18
