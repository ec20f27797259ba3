"""A few visitors at once over Streamlit's own protocol: the load test in small. In full: `python -m tests.load`."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from tests.load.answers import Question, alone, questions, same_answer, seen_by
from tests.load.own import bring_network, bring_picture, brings, small_picture, weights
from tests.load.server import running
from tests.load.tab import Tab
from tests.load.visits import visit

NETWORK, STEPS = "signs-cnn", 12


def beside(visit):
    """Do this in another thread: where a browser was driven before, its loop still runs in this one."""
    with ThreadPoolExecutor(1) as other:
        return other.submit(asyncio.run, visit).result()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXPLORER_MAX_NETWORKS", "1")
        with running(str(tmp_path_factory.mktemp("runs"))) as server:
            yield server


def test_the_server_answers_once_the_libraries_of_the_first_page_are_there(server):
    files = Path(f"/proc/{server.pid}/maps").read_text()
    for library in ("libtorch_cpu", "safetensors"):
        assert library in files, "the first visitor would wait for it"


def test_everybody_at_once_gets_their_own_answer(server):
    async def all_at_once():
        asked = [questions(visitor, 1, NETWORK, STEPS) for visitor in range(4)]
        return await asyncio.gather(*(visit(server.port, some, pause=0) for some in asked))

    for visitor, seen in enumerate(beside(all_at_once())):
        assert not seen.problems
        assert len(seen.clean) == 1
        assert [question for question, _ in seen.answers] == questions(visitor, 1, NETWORK, STEPS)
        assert {same_answer(answer, alone(question)) for question, answer in seen.answers} <= {"equal", "close"}
    assert len({answer.picture for _, answer in seen.answers}) == 1


def test_one_client_cannot_clear_what_was_answered_to_others(server):
    question = Question("stop-1", NETWORK, "0.1", STEPS)

    async def ask() -> tuple[str, float]:
        tab = await Tab(server.port, question.link).open()
        answer, _ = await tab.until(seen_by, 120)
        took = next(each.body for each in tab.elements("markdown") if each.body.startswith("Attack "))
        await tab.send(BackMsg(clear_cache=True))
        await tab.close()
        return answer, took

    first, second = beside(ask()), beside(ask())
    assert first == second, "the same run, to the hundredth of a second"


def test_visitors_bring_pictures_and_networks_of_their_own(server):
    async def bring():
        return await asyncio.gather(bring_picture(server.port, 3), bring_network(server.port, 9))

    for seen in beside(bring()):
        assert not seen.problems
        assert len(seen.waits) == 1
    kinds = [brings(number) for number in range(200)]
    assert (kinds.count("picture"), kinds.count("network")) == (40, 20)
    assert len({small_picture(number) for number in range(3, 200, 4)}) == len(range(3, 200, 4))
    assert len({weights(number) for number in range(9, 200, 10)}) == 20


def test_who_has_closed_the_tab_makes_room_within_seconds(server):
    """The server holds one network; Streamlit by itself would keep a closed tab, and what it holds, for two minutes."""

    async def bring(number):
        return await bring_network(server.port, number)

    until = time.monotonic() + 60
    for number in (19, 29):
        while (seen := beside(bring(number))).problems:
            assert seen.problems == {"error": 1}, "there is no room yet"
            assert time.monotonic() < until
            time.sleep(1)
        assert len(seen.waits) == 1
