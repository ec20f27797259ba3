"""Many visitors at once, over Streamlit's own protocol: `python -m tests.load`.

Starts the app, lets one visitor ask one question after another, then all at once, and compares every answer with that
of a lone run. The exit code is 1 where one is missing, another's, or neither equal nor close; goals for time and memory
are told where they are missed, and need a machine that does nothing else.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections import Counter

from explorer.classifiers import CLASSIFIERS
from tests.load.answers import Question, alone, questions, same_answer
from tests.load.own import bring_network, bring_picture, brings
from tests.load.server import Server, running
from tests.load.visits import Seen, large_picture, leave_in_mid_run, upload, visit

GROWTH = 0.1  # of the memory that is let pass, from a quarter of the visits to the last
LONE = 8  # questions of the one who asks alone
FASTER, CLEAN, GROWTH, MEMORY = 2.5, 2.0, 0.1, 1500.0  # goals on two quiet cores: times, seconds, share, megabytes


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=30, help="visitors at once (default: 30)")
    parser.add_argument("--moves", type=int, default=5, help="of a slider, 2 s after each answer (default: 5)")
    parser.add_argument("--steps", type=int, default=100, help="of the attack (default: 100)")
    parser.add_argument("--network", default="signs-resnet", help="default: signs-resnet")
    parser.add_argument("--all-networks", action="store_true", help="load all bundled networks before")
    parser.add_argument("--same-link", action="store_true", help="everybody asks the same")
    parser.add_argument("--close-tabs", type=int, metavar="N", help="instead: close N tabs in mid-run")
    parser.add_argument("--uploads", type=int, metavar="N", help="instead: N uploads of 25 million pixels at once")
    parser.add_argument("--visits", type=int, metavar="N", help="instead: N visits by so many visitors at a time")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder, running(folder) as server:
        return asyncio.run(measure(args, server))


async def measure(args: argparse.Namespace, server: Server) -> int:
    """Run what was asked for and print what came of it."""
    warm = [Question("stop-1", args.network, "0.1", args.steps)]
    if args.all_networks:
        warm += [Question("stop-1", name, "0.1", 5) for name in bundled()]
    for question in warm:
        await visit(server.port, [question])
    if args.close_tabs:
        return await close_tabs(args, server)
    if args.uploads:
        return await uploads(args, server)
    if args.visits:
        return await visits(args, server)
    return await moves(args, server)


async def moves(args: argparse.Namespace, server: Server) -> int:
    """One visitor, then all of them at once."""
    cpu = server.cpu
    lone = await visit(server.port, questions(0, LONE - 1, args.network, args.steps + 1), pause=0)
    alone_rate, alone_cpu = len(lone.answers) / sum(lone.waits), (server.cpu - cpu) / max(1, len(lone.answers))
    asked = [questions(0 if args.same_link else i, args.moves, args.network, args.steps) for i in range(args.sessions)]
    memory, runs = {}, 0

    def on_answer(question: Question) -> None:
        nonlocal runs
        runs += question.turned  # the first answer may have come with the app
        if runs in (1, args.sessions):
            memory.setdefault(runs, server.megabytes)

    started, cpu, done = time.perf_counter(), server.cpu, len(server.batches)
    seen = Seen()
    for each in await asyncio.gather(*(visit(server.port, some, on_answer=on_answer) for some in asked)):
        seen += each
    seconds, cpu = time.perf_counter() - started, server.cpu - cpu
    memory[runs] = server.megabytes
    batches = server.batches[done:]
    kinds = Counter(same_answer(answer, alone(question)) for question, answer in lone.answers + seen.answers)
    total, compared = sum(map(len, asked)), sum(kinds.values())
    rate = len(seen.answers) / seconds
    rows = {
        "sessions": f"{args.sessions}, each {args.moves + 1} questions" + (", all the same" * args.same_link),
        "answered": f"{len(seen.answers)} of {total}",
        "refused": f"{seen.problems['refused']}",
        "other problems": ", ".join(f"{n} {what}" for what, n in seen.problems.items() if what != "refused") or "0",
        "another's, or worse": f"{kinds['wrong']}",
        "equal to the lone run": f"{kinds['equal'] / max(1, compared):.1%}",
        "answers per second": f"{rate:.2f}; one at a time {alone_rate:.2f}; {rate / alone_rate:.2f} times",
        "wait, median and slowest": f"{statistics.median(seen.waits):.1f} s, {max(seen.waits):.1f} s"
        if seen.waits
        else "-",
        "clean picture, slowest": f"{max(seen.clean):.1f} s" if seen.clean else "-",
        "in one batch with it, median and most": f"{statistics.median(batches):.0f}, {max(batches)} questions"
        if batches
        else "-",
        "memory after so many runs": ", ".join(f"{n}: {megabytes:,.0f} MB" for n, megabytes in memory.items()),
        "memory at most": f"{server.peak:,.0f} MB",
        "processor": f"{cpu / max(1, len(seen.answers)):.2f} s per answer, {cpu / seconds:.2f} cores busy; "
        f"one at a time {alone_cpu:.2f} s per answer",
    }
    if args.all_networks:
        rows["networks in memory"] = f"{len(bundled())}"
    goals = {
        f"{FASTER} times as many answers per second": rate >= FASTER * alone_rate,
        f"clean picture within {CLEAN:.0f} s": bool(seen.clean) and max(seen.clean) <= CLEAN,
        f"memory at the end within {GROWTH:.0%} of that after a run each": memory[runs]
        <= (1 + GROWTH) * memory.get(args.sessions, memory[runs]),
        f"{MEMORY:,.0f} MB at most": server.peak <= MEMORY,
    }
    rows["goals missed"] = "; ".join(goal for goal, reached in goals.items() if not reached) or "none"
    table(rows)
    return int(len(seen.answers) < total or kinds["wrong"] > 0)


def bundled() -> list[str]:
    """The networks that come with the project."""
    return [name for name, card in CLASSIFIERS.items() if card.source == "bundled"]


async def close_tabs(args: argparse.Namespace, server: Server) -> int:
    """How long the app computes for nobody."""
    asked = [questions(i, 0, args.network, 400)[0] for i in range(args.close_tabs)]
    await leave_in_mid_run(server.port, asked)
    seconds = await asyncio.to_thread(server.seconds_until_idle, 60.0)
    table({"tabs closed in mid-run": f"{args.close_tabs}", "idle after": f"{seconds:.1f} s"})
    return int(seconds > 1)


async def uploads(args: argparse.Namespace, server: Server) -> int:
    """Large pictures, all at once."""
    for number in range(args.uploads):
        large_picture(number)  # made before anything is measured
    await upload(server.port, args.uploads)
    before = server.megabytes
    server.forget_peak()
    seen = Seen()
    for each in await asyncio.gather(*(upload(server.port, number) for number in range(args.uploads))):
        seen += each
    table(
        {
            "uploads of 25 million pixels": f"{args.uploads}",
            "answered": f"{len(seen.waits)}",
            "problems": ", ".join(f"{n} {what}" for what, n in seen.problems.items()) or "0",
            "clean picture, median and slowest": f"{statistics.median(seen.clean):.1f} s, {max(seen.clean):.1f} s",
            "memory before, at most, after": f"{before:,.0f}, {server.peak:,.0f}, {server.megabytes:,.0f} MB",
        }
    )
    return int(len(seen.waits) < args.uploads or server.peak - before > 1000)


async def visits(args: argparse.Namespace, server: Server) -> int:
    """Visitors come and go; every fourth brings a picture, every tenth a network. Memory along the way."""
    room, memory, seen, brought = asyncio.Semaphore(args.sessions), {}, Seen(), Counter()
    done = 0

    async def one(number: int) -> None:
        nonlocal done, seen
        async with room:
            what = brings(number)
            brought[what] += 1
            if what == "picture":
                seen += await bring_picture(server.port, number)
            elif what == "network":
                seen += await bring_network(server.port, number)
            else:
                seen += await visit(server.port, questions(number, 1, args.network, args.steps))
            done += 1
            if done in (min(50, args.visits // 4), args.visits):
                memory[done] = server.megabytes

    await asyncio.gather(*map(one, range(args.visits)))
    first, last = memory.values()
    wrong = sum(same_answer(answer, alone(question)) == "wrong" for question, answer in seen.answers)
    table(
        {
            "visits": f"{args.visits}, {args.sessions} at a time",
            "of these, with uploads": f"{brought['picture']} of pictures, {brought['network']} of networks",
            "answers": f"{len(seen.waits)}",
            "another's, or worse": f"{wrong}",
            "problems": ", ".join(f"{n} {what}" for what, n in seen.problems.items()) or "0",
            "memory": ", ".join(f"{megabytes:,.0f} MB after {n}" for n, megabytes in memory.items())
            + f": {last / first - 1:+.1%} (at most {GROWTH:+.0%})",
        }
    )
    return int(wrong > 0 or bool(seen.problems) or last > (1 + GROWTH) * first)


def table(rows: dict[str, str]) -> None:
    """Print it."""
    width = max(map(len, rows))
    print("\n".join(f"{name:<{width}}  {value}" for name, value in rows.items()), flush=True)


if __name__ == "__main__":
    sys.exit(main())
