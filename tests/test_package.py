"""The package as others get it: the wheel, the lazy top level, the generated pages."""

import subprocess
import sys
from pathlib import Path

import pytest

import conformance
from conformance.deviations import DEVIATIONS
from tools import inspect_wheel, pages

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_every_schema_and_fixture_and_nothing_strange(wheel):
    assert inspect_wheel.problems(wheel) == []


def test_an_installed_copy_works_without_the_checkout(wheel, tmp_path):
    target = tmp_path / "installed"
    install = [sys.executable, "-m", "pip", "install", "--no-deps", "--quiet", "--target", str(target), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    code = "import conformance; print(conformance.__file__); print(len(conformance.plan()))"
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(target), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    where, count = run.stdout.split()
    assert where.startswith(str(target))
    assert int(count) == len(conformance.plan())


def test_the_public_functions_are_functions_whatever_was_imported_before():
    import conformance.planning  # noqa: PLC0415 - the order is what is tested
    import conformance.send  # noqa: PLC0415

    for name in ("plan", "record", "read_ledger", "judge", "report"):
        assert callable(getattr(conformance, name)), name
        assert getattr(conformance, name).__doc__


def test_a_name_that_is_not_public_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        conformance.nothing  # noqa: B018 - asking is the test


def test_importing_the_package_imports_nothing_heavy():
    code = "import sys, conformance; print([m for m in ('httpx', 'jsonschema', 'jinja2', 'rich') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("name", pages.PAGES)
def test_the_generated_pages_are_up_to_date(name):
    assert (pages.DOCS / name).read_text(encoding="utf-8") == pages.PAGES[name](), "run make docs"


def test_every_known_deviation_is_a_label_of_some_rule():
    assert pages.labels_in_rules() == set(DEVIATIONS)


def test_every_contract_fact_is_a_rule_or_has_a_reason():
    made = {line for rule in pages.catalogue().values() for line in rule.lines}
    facts = {f"{area}-{number:02}" for area, count in pages.FACTS.items() for number in range(1, count + 1)}
    assert facts <= made | pages.LEFT_OUT.keys()
    assert pages.LEFT_OUT.keys() <= facts
