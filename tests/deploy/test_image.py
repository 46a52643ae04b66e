"""deploy/Dockerfile, as far as it can be judged without a builder."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()
BUILD, FINAL = re.split(r"(?m)^(?=FROM )", DOCKERFILE)[1:]


def test_both_stages_begin_with_the_same_python_by_version() -> None:
    bases = re.findall(r"(?m)^FROM (\S+)", DOCKERFILE)
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.1[123]-slim-[a-z]+", bases[0])


def test_the_process_is_nobody_by_number() -> None:
    users = re.findall(r"(?m)^USER (.+)$", DOCKERFILE)
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", users[-1])
    assert FINAL.index("USER ") < FINAL.index("ENTRYPOINT")


def test_dependencies_are_taken_by_hash_and_never_built() -> None:
    for install in re.findall(r"pip (?:--python \S+ )?install ((?:.*\\\n)*.*)", BUILD):
        by_hash = "--require-hashes" in install and "--only-binary :all:" in install
        ours = "--no-deps --no-index" in install
        assert by_hash or ours, install


def test_the_final_stage_takes_nothing_but_the_installation() -> None:
    assert re.findall(r"(?m)^COPY .*", FINAL) == [
        "COPY --from=build /opt/hedgestat /opt/hedgestat",
    ]
    assert not re.search(r"(?m)^ADD |curl|wget|apt-get", DOCKERFILE)


def test_what_the_builder_copies_is_sent_to_it_and_nothing_else() -> None:
    ignored, *sent = (
        line
        for line in (ROOT / "deploy/Dockerfile.dockerignore").read_text().splitlines()
        if not line.startswith("#")
    )
    assert ignored == "*"
    copied = [
        source
        for copy in re.findall(r"(?m)^COPY (?!--from)(.+)", BUILD)
        for source in copy.split()[:-1]
    ]
    patterns = [line.removeprefix("!") for line in sent if line.startswith("!")]
    assert [one for one in copied if not any(Path(one).match(p) for p in patterns)] == []
    assert all(list(ROOT.glob(pattern)) for pattern in patterns)


def test_a_container_says_whether_it_is_well() -> None:
    assert "HEALTHCHECK" in FINAL
    assert "HEDGESTAT_HEALTH_URL=" in FINAL


def test_the_compiler_can_keep_its_work_where_the_root_is_read_only() -> None:
    assert "NUMBA_CACHE_DIR=/tmp/" in FINAL
