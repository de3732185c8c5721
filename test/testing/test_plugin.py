"""The plugin as a whole: what it loads, how wrong settings are reported, what it leaves behind."""

from __future__ import annotations

import re

import pytest

# An inner run in this process forgets the modules that it is the first to import, and the parser of
# PyYAML, which is written in C, does not work with classes that are imported a second time.
import yaml  # noqa: F401

from package.fresh import result_of
from talon_one.sandbox import Sandbox

pytest_plugins = ["pytester"]

INI = "[pytest]\nasyncio_default_fixture_loop_scope = function\n"

BROKEN = """\
applications:
  - name: Shop
    campains: []
"""

# The settings of our own runs, such as the number of processes, are not those of the inner ones.
ALONE = ("-p", "no:xdist", "-p", "no:cacheprovider", "-p", "no:hypothesispytest")


@pytest.fixture(autouse=True)
def ini(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    pytester.makeini(INI)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)


def result_lines(pytester: pytest.Pytester, *arguments: str) -> tuple[int, list[str]]:
    ended = pytester.runpytest_inprocess(*ALONE, *arguments)
    return int(ended.ret), [line for line in ended.outlines if line.strip()]


def test_a_run_of_pytest_loads_the_plugin_and_nothing_else_of_ours() -> None:
    loaded = result_of(
        "import json, sys, pytest\n"
        "before = set(sys.modules)\n"
        "import talon_one.testing.plugin\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    ours = {"talon_one", "talon_one.testing", "talon_one.testing.plugin"}
    assert set(loaded) - {"importlib.util", "importlib._abc"} == ours


def test_modules_of_this_package_are_not_rewritten_as_those_of_plugins_are(
    pytester: pytest.Pytester,
) -> None:
    # As pytest does for all that an installed distribution with a plugin contains.
    program = (
        "import sys\n"
        "[hook] = [each for each in sys.meta_path if hasattr(each, 'mark_rewrite')]\n"
        "hook.mark_rewrite('talon_one', 'rewritten')\n"
    )
    pytester.makepyfile(early=program, rewritten="", test_a="def test_a(): import talon_one.rest")
    (pytester.path / "test_b.py").write_text(
        "import sys, rewritten, talon_one.limiter\n"
        "def test_b():\n"
        "    kind = lambda name: type(sys.modules[name].__loader__).__name__\n"
        "    assert kind('rewritten') == 'AssertionRewritingHook'\n"
        "    assert kind('talon_one.limiter') == 'SourceFileLoader'\n"
    )
    ended = pytester.runpytest_subprocess(*ALONE, "-p", "early", "-p", "no:asyncio")
    ended.assert_outcomes(passed=2)


def test_wrong_marks_fail_each_test_with_one_message(pytester: pytest.Pytester) -> None:
    pytester.makefile(".yaml", broken=BROKEN)
    sentences = {
        "seed='nothing.yaml'": r"the seed: '.+nothing.yaml' cannot be read: No such file .+",
        "seed='fashoin'": r"the seed: '.+fashoin' cannot be read: .+ Did you mean 'fashion'\?",
        "seed='broken.yaml'": r".+broken.yaml:3:5: 'campains' .+ Did you mean 'campaigns'\?",
        "seed='broken.yaml', random_seed=1": r".+broken.yaml:3:5: .+",
        "seed={'campains': []}": r"/campains: .+",
        "seed=3": "the seed: must be a name, a file or a mapping, not 3",
        "sede='fashion'": r"the mark talon_sandbox has no setting 'sede'. Did you mean 'seed'\?",
        "port=80": "the mark talon_sandbox has no setting 'port'. It takes seed, clock, .+",
        "'fashion'": r"the mark talon_sandbox takes keywords, such as .+",
        "clock='yesterday'": "the clock: 'yesterday' is not an RFC 3339 timestamp, such as 2026-.+",
        "clock=3": "the clock: a moment is an aware datetime or a text such as '.+', not 3",
        "latency='slow'": "the latency must be a number of seconds, not 'slow'",
        "latency=-1": "the latency must be a number of seconds, not -1",
        "random_seed=0.5": "the random_seed must be a whole number, not 0.5",
    }
    pytester.makepyfile(
        "import pytest\n"
        + "".join(
            f"@pytest.mark.talon_sandbox({arguments})\n"
            f"def test_{number:02}(talon_sandbox): raise AssertionError('it runs')\n"
            for number, arguments in enumerate(sentences)
        )
    )
    status, lines = result_lines(pytester, "--tb=short")
    shown = lines[lines.index(next(each for each in lines if "= ERRORS =" in each)) + 1 :]
    for number, sentence in enumerate(sentences.values()):
        title, message = shown[2 * number : 2 * number + 2]
        assert f"ERROR at setup of test_{number:02}" in title
        assert re.fullmatch(sentence, message), message
    assert (status, lines[-1].split(" in ")[0].strip("= ")) == (1, f"{len(sentences)} errors")


def test_wrong_settings_end_the_run_before_its_first_test(pytester: pytest.Pytester) -> None:
    pytester.makefile(".yaml", broken=BROKEN)
    pytester.makepyfile("def test_a(talon_sandbox): pass\ndef test_b(): print('it runs')")
    for setting, sentence in (
        ("seed=broken.yaml", r"ERROR: talon_sandbox_seed: .+broken.yaml:3:5: 'campains' is not .+"),
        ("seed=fashoin", r"ERROR: talon_sandbox_seed: the seed: '.+fashoin' cannot be read: .+"),
        ("clock=noon", "ERROR: talon_sandbox_clock: 'noon' is not an RFC 3339 timestamp, .+"),
    ):
        ended = pytester.runpytest_inprocess(*ALONE, "-s", "-o", f"talon_sandbox_{setting}")
        assert ended.ret == pytest.ExitCode.USAGE_ERROR
        errors = [line for line in ended.errlines if "ERROR" in line]
        assert len(errors) == 1
        assert re.fullmatch(sentence, errors[0])
        assert "it runs" not in ended.outlines
        # Tests without the sandbox do not need its seed.
        arguments = ("-k", "test_b", "-o", f"talon_sandbox_{setting}")
        assert result_lines(pytester, *arguments)[0] == pytest.ExitCode.OK


def test_a_seed_is_found_beside_the_test_or_the_settings(pytester: pytest.Pytester) -> None:
    for folder in ("", "deep"):
        place = pytester.mkpydir(folder) if folder else pytester.path
        (place / "shop.yaml").write_text(f"applications: [{{name: 'In {folder}', id: 9}}]")
    mark = "import pytest\n@pytest.mark.talon_sandbox(seed='shop.yaml')\n"
    program = (
        "import talon_one\n"
        "def test_a(management_api):\n"
        "    assert management_api.get_applications().data[0].name == {name!r}\n"
    )
    (pytester.path / "deep" / "test_marked.py").write_text(
        mark.replace("\n@", "\n" + program.partition("def")[0] + "@")
        + "def"
        + program.format(name="In deep").partition("def")[2]
    )
    (pytester.path / "deep" / "test_ini.py").write_text(program.format(name="In "))
    status, lines = result_lines(pytester, "-o", "talon_sandbox_seed=shop.yaml")
    assert (status, lines[-1].split(" in ")[0].strip("= ")) == (0, "2 passed")


def test_a_failed_assertion_shows_the_line_of_the_test_alone(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "def test_a(talon_sandbox):\n    talon_sandbox.requests.assert_sent('create_referral')\n"
        "def test_b(talon_sandbox):\n    talon_sandbox.requests.to('create_referal')\n"
        "def test_c(talon_sandbox):\n    talon_sandbox.faults.delay(-1)\n"
        "def test_d(talon_sandbox):\n    talon_sandbox.clock.move_to('2020-01-01T00:00:00Z')\n"
        "def test_e(talon_sandbox):\n    talon_sandbox.clock.advance(days=-1)\n"
        "def test_f(talon_sandbox):\n    talon_sandbox.requests.last\n"
        "def test_g(talon_sandbox):\n    talon_sandbox.clock.move_to('2030-01-01')\n"
        "def test_h(talon_sandbox):\n    talon_sandbox.add_coupon('TEN-OFF')\n"
        "def test_i(talon_sandbox):\n    talon_sandbox.add_coupon('SPRING', usagelimit=3)\n"
        "def test_j(talon_sandbox):\n    talon_sandbox.load('nothing.yaml')\n"
    )
    status, lines = result_lines(pytester)
    assert status == pytest.ExitCode.TESTS_FAILED
    assert sum(line.startswith(">") for line in lines) == 10
    assert not [line for line in lines if "talon_one/" in line]
    messages = [line for line in lines if line.startswith("E  ")]
    assert [re.sub(r"^E +", "", line) for line in messages[:3]] == [
        "AssertionError: no request was made for create_referral, and no other either",
        "ValueError: there is no operation 'create_referal'. Did you mean 'create_referral'?",
        "ValueError: a delay is a number of seconds from 0, not -1",
    ]
    assert "cannot go backwards, from 20" in messages[3]
    assert "cannot go backwards, by -1 day" in messages[4]


def test_a_sandbox_that_was_never_stopped_is_stopped_and_named(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_shop="from talon_one.sandbox import Sandbox\n\n"
        "def test_a():\n    Sandbox().start()\n\n"
        "def test_b(talon_sandbox):\n    with Sandbox():\n        pass\n"
    )
    with Sandbox() as around:
        status, lines = result_lines(pytester)
        assert around.running
    place = pytester.path / "test_shop.py"
    assert status == pytest.ExitCode.OK
    assert f"{place}:4: the sandbox started here was never stopped" in lines
    assert sum("never stopped" in line for line in lines) == 1


def test_without_aiohttp_only_the_tests_with_a_sandbox_fail(pytester: pytest.Pytester) -> None:
    pytester.makeconftest("import sys\nsys.modules['aiohttp'] = sys.modules['multidict'] = None\n")
    pytester.makepyfile("def test_a(integration_api): pass\ndef test_b(): pass\n")
    ended = pytester.runpytest_subprocess(*ALONE, "-p", "no:asyncio", "-o", "addopts=")
    ended.assert_outcomes(passed=1, errors=1)
    message = 'The sandbox needs aiohttp: pip install "talon_one[sandbox]"'
    assert message in ended.outlines
    assert not [line for line in ended.outlines if "Traceback" in line]


SUITE = """
import asyncio, pytest, talon_one

@pytest.mark.parametrize("number", range({number}))
def test_checkout(number, talon_sandbox, integration_api):
    session = {{"customerSession": {{"profileId": "anna", "couponCodes": ["TEN-OFF"]}}}}
    assert integration_api.update_customer_session_v2("order-1", session).effects
    talon_sandbox.requests.assert_sent("update_customer_session_v2", times=1)

@pytest.mark.parametrize("number", range({number}))
@pytest.mark.talon_sandbox(seed="fashion")
def test_async(number, talon_sandbox, async_integration_api):
    asyncio.run(async_integration_api.update_customer_session_v2("a", {{"customerSession": {{}}}}))
    talon_sandbox.faults.hang()

def test_leak():
    from talon_one.sandbox import Sandbox
    Sandbox().start()
"""

LEFT = """
import os, pytest, threading

def pytest_sessionstart(session):
    session.config.before = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc") else set()

@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session):
    yield
    if hasattr(session.config, "workerinput") or not session.config.getoption("numprocesses", None):
        import gc
        gc.collect()
        names = [each.name for each in threading.enumerate() if "talon" in each.name]
        sockets = []
        for each in os.listdir("/proc/self/fd") if os.path.isdir("/proc") else ():
            try:
                target = os.readlink(f"/proc/self/fd/{{each}}")
            except OSError:
                continue
            if each not in session.config.before and "socket" in target:
                sockets.append(target)
        with open(os.path.join({folder!r}, f"left-{{os.getpid()}}"), "w") as file:
            print(names, sockets, file=file)
"""


def test_a_distributed_run_leaves_no_thread_port_or_file_behind(pytester: pytest.Pytester) -> None:
    pytester.makeini(f"{INI}filterwarnings = error\n")
    pytester.makepyfile(test_shop=SUITE.format(number=10))
    pytester.makeconftest(LEFT.format(folder=str(pytester.path)))
    before = {each.name for each in pytester.path.iterdir()}
    ended = pytester.runpytest_subprocess("-n", "2", "-p", "no:cacheprovider", timeout=100)
    ended.assert_outcomes(passed=21)
    line = SUITE.strip().splitlines().index("    Sandbox().start()") + 1
    place = f"{pytester.path / 'test_shop.py'}:{line}"
    assert ended.outlines.count(f"{place}: the sandbox started here was never stopped") == 1
    left = [each for each in pytester.path.iterdir() if each.name not in before]
    reports = [each.read_text().strip() for each in left if each.name.startswith("left-")]
    assert reports == ["[] []"] * 2
    # What pytest and pytester make themselves.
    theirs = {"__pycache__", "runpytest-0", "runpytest-current", "stdout", "stderr"}
    assert {each.name for each in left if not each.name.startswith("left-")} <= theirs
