"""What visitors do: ask and move a slider, close the tab in mid-run, upload a picture."""

import asyncio
import io
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from functools import cache

from PIL import Image
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileUploaderState

from tests.load.answers import LAM, Answer, Question, clean_of, seen_by
from tests.load.tab import Tab

PATIENCE = 600.0  # seconds after which an answer is lost
PAUSE = 2.0  # seconds between an answer and the next move
SIDE = 5000  # of a large upload, in pixels


@dataclass
class Seen:
    """What one visitor, or several, have seen."""

    answers: list[tuple[Question, Answer]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    clean: list[float] = field(default_factory=list)  # seconds until the clean picture was there
    problems: Counter = field(default_factory=Counter)

    def __iadd__(self, other: "Seen") -> "Seen":
        self.answers += other.answers
        self.waits += other.waits
        self.clean += other.clean
        self.problems += other.problems
        return self


async def visit(port: int, asked: list[Question], pause: float = PAUSE, on_answer=lambda question: None) -> Seen:
    """Open the page with the first question, then move the slider to each of the others."""
    seen, tab = Seen(), Tab(port, asked[0].link)
    try:
        await tab.open()
        _, took = await tab.until(clean_of, PATIENCE)
        seen.clean.append(took)
        for number, question in enumerate(asked):
            if number:
                await asyncio.sleep(pause)
                await tab.set(LAM, [question.lam], "string_array_value")
            settled, more = await tab.until(_settled, PATIENCE)
            took = took + more if not number else more
            if isinstance(settled, Answer):
                seen.answers.append((question, settled))
                seen.waits.append(took)
                on_answer(question)
            else:
                seen.problems[settled] += 1
    except (TimeoutError, OSError, LookupError) as error:
        seen.problems[type(error).__name__] += 1
    finally:
        await tab.close()
    return seen


def _settled(tab: Tab) -> Answer | str | None:
    """The answer; or why there is none, once the script has ended without one."""
    if not tab.idle:
        return None
    if any(each.label in ("Run", "Run to the end") for each in tab.elements("button")):
        return "refused"
    for kind in ("exception", "alert"):
        for each in tab.elements(kind):
            if kind == "exception" or (each.format == each.ERROR and "labels" not in each.body):
                return "error"
    return seen_by(tab) or "empty page"


async def leave_in_mid_run(port: int, asked: list[Question]) -> None:
    """Open a tab for each question, wait until one of them is being answered, and close them all."""
    tabs = [Tab(port, question.link) for question in asked]
    await asyncio.gather(*(tab.open() for tab in tabs))
    await asyncio.gather(*(tab.until(clean_of, PATIENCE) for tab in tabs))
    running = [asyncio.create_task(tab.until(_runs, PATIENCE)) for tab in tabs]
    _, others = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    for task in others:
        task.cancel()
    await asyncio.gather(*(tab.close() for tab in tabs))


def _runs(tab: Tab) -> bool:
    return any(each.text.startswith("Step ") for each in tab.elements("progress"))


async def upload(port: int, number: int) -> Seen:
    """Upload a large picture."""
    return await upload_picture(port, f"{number}.png", large_picture(number))


async def upload_picture(port: int, name: str, content: bytes) -> Seen:
    """Upload this file, and wait for its clean version and for its answer."""
    seen, tab = Seen(), Tab(port, {"picture": "upload"})
    try:
        await tab.open()
        await tab.until(lambda tab: tab.idle, PATIENCE)
        uploader = next(each for each in tab.elements("file_uploader"))
        state = await put_file(tab, name, content)
        before = clean_of(tab)
        await tab.set(uploader.label, state, "file_uploader_state_value")
        _, took = await tab.until(lambda tab: clean_of(tab) not in (None, before), PATIENCE)
        seen.clean.append(took)
        await settled_answer(tab, seen, took)
    except (TimeoutError, OSError, LookupError) as error:
        seen.problems[type(error).__name__] += 1
    finally:
        await tab.close()
    return seen


async def settled_answer(tab: Tab, seen: Seen, took: float = 0.0) -> None:
    """Wait for what comes of it; `took`: the seconds that were waited before."""
    settled, more = await tab.until(_settled, PATIENCE)
    if isinstance(settled, Answer):
        seen.waits.append(took + more)
    else:
        seen.problems[settled] += 1


async def put_file(tab: Tab, name: str, content: bytes) -> FileUploaderState:
    """Send a file as a browser does."""
    message = BackMsg()
    message.file_urls_request.request_id = name
    message.file_urls_request.file_names.append(name)
    await tab.send(message)
    told = (await tab.files.get()).file_urls[0]
    await asyncio.to_thread(_send, tab.port, told.upload_url, name, content)
    state = FileUploaderState()
    file = state.uploaded_file_info.add(file_id=told.file_id, name=name, size=len(content))
    file.file_urls.CopyFrom(told)
    return state


def _send(port: int, url: str, name: str, content: bytes) -> None:
    base, edge = f"http://127.0.0.1:{port}", "a-boundary-between-parts"
    with urllib.request.urlopen(f"{base}/_stcore/health") as answer:
        cookie = answer.headers["Set-Cookie"].split(";")[0]
    head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    request = urllib.request.Request(
        base + url,
        head.encode() + content + f"\r\n--{edge}--\r\n".encode(),
        {
            "Content-Type": f"multipart/form-data; boundary={edge}",
            "Cookie": cookie,
            "X-Xsrftoken": cookie.partition("=")[2],
        },
        method="PUT",
    )
    with urllib.request.urlopen(request, timeout=PATIENCE):
        pass


@cache
def large_picture(number: int) -> bytes:
    """A PNG of 25 million pixels in few bytes: a picture of its own for each number."""
    small = Image.effect_mandelbrot((100, 100), (-2, -1.2, 1, 1.2), 20 + number).convert("RGB")
    file = io.BytesIO()
    small.resize((SIDE, SIDE), Image.Resampling.NEAREST).save(file, "PNG", compress_level=1)
    return file.getvalue()
