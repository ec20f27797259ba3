"""The whole lesson in a browser, every task failed once and then solved, and a room with eight students."""

from contextlib import ExitStack

import cv2
import numpy as np
import pytest
from explore_page import PATIENCE
from playwright.sync_api import Browser, Locator, Page, expect

pytestmark = pytest.mark.browser

STUDENTS = 8
SCREEN = {"width": 1280, "height": 720}
PHONE = {"width": 390, "height": 844}
RUDE = "<i onclick=alert()>"
READ = "canvas => [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data]"


class LessonPage:
    """Drives one tab of a student or a teacher; it must never meet an error or a dialog."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (self.complaints.append(dialog.message), dialog.dismiss()))

    def open(self, path: str) -> "LessonPage":
        self.page.goto(f"{self.address}/{path}")
        return self

    def idle(self) -> None:
        self.page.wait_for_timeout(250)
        app = self.page.get_by_test_id("stApp")
        expect(app).to_have_attribute("data-test-script-state", "notRunning")

    @property
    def verdict(self) -> Locator:
        return self.page.locator(".st-key-task [data-testid=stAlertContainer]")

    def solved(self) -> bool:
        self.idle()
        return self.verdict.inner_text().startswith("Solved")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def press(self, name: str) -> None:
        """By keyboard."""
        self.button(name).focus()
        self.page.keyboard.press("Enter")

    def choose_sign(self, step: int, number: int) -> None:
        thumbnail = self.page.locator(f".st-key-signs-{step} button").nth(number)
        thumbnail.focus()
        self.page.keyboard.press("Enter")
        expect(thumbnail).to_have_attribute("aria-pressed", "true")

    def switch(self, key: str) -> None:
        """By keyboard."""
        self.page.locator(f".st-key-{key} input").focus()
        self.page.keyboard.press("Space")

    def choose(self, answer: str) -> None:
        """By keyboard."""
        self.page.locator("label:has(input[type=radio])", has_text=answer).first.locator("input").focus()
        self.page.keyboard.press("Space")
        self.idle()
        self.page.get_by_role("button", name="Lock in my prediction", disabled=False).first.focus()
        self.page.keyboard.press("Enter")
        self.idle()


@pytest.fixture
def new_tab(browser: Browser, address: str):
    """Tabs of new visitors."""
    with ExitStack() as stack:
        tabs: list[LessonPage] = []

        def new(viewport: dict[str, int] | None = None, beside: LessonPage | None = None) -> LessonPage:
            """In a browser of its own, or `beside` another tab, which loads the app's scripts once for both."""
            context = beside.page.context if beside else browser.new_context(viewport=viewport or SCREEN)
            if beside is None:
                stack.enter_context(context)
            tabs.append(LessonPage(context.new_page(), address))
            return tabs[-1]

        yield new
    assert [each for tab in tabs for each in tab.complaints] == []


def fool(tab: LessonPage) -> None:
    tab.press("Fool the network")
    expect(tab.verdict).to_contain_text("it took")
    tab.choose_sign(1, 3)
    tab.press("Fool the network")


def find(tab: LessonPage) -> None:
    board = tab.page.locator(".st-key-find-board")
    after = np.array(board.locator("canvas").evaluate(READ)).reshape(64, 64, 4)
    tab.switch("blink")
    expect(board.locator(".title")).to_have_text("Before")
    tab.idle()
    before = np.array(board.locator("canvas").evaluate(READ)).reshape(64, 64, 4)
    changed = np.argwhere((after != before).any(2)).tolist()
    tab.switch("blink")
    expect(board.locator(".title")).to_have_text("After")
    at = [32, 32]
    board.locator("svg").focus()
    for place in ([63, 63], *changed[:3]):  # the corner is as it was
        for axis, (less, more) in enumerate((("ArrowUp", "ArrowDown"), ("ArrowLeft", "ArrowRight"))):
            for _ in range(abs(place[axis] - at[axis])):
                tab.page.keyboard.press(more if place[axis] > at[axis] else less)
        at = place
        tab.page.keyboard.press("Enter")
        if place == [63, 63]:
            expect(tab.verdict).to_contain_text("as it was")


def repair(tab: LessonPage) -> None:
    expect(tab.verdict).to_contain_text("still sees")
    tab.choose_sign(3, 3)
    marks = tab.page.locator(".st-key-repair-picture .mark")
    expect(marks).to_have_count(2)
    for toggled in (0, 1, 0):  # the first alone, both, the second alone
        take(marks.nth(toggled))
        if tab.solved():
            return


def predict(tab: LessonPage) -> None:
    tab.choose("clearly fewer")
    expect(tab.verdict).to_contain_text("another one than what happened")
    tab.press("Another question about λ")
    tab.idle()
    tab.choose("clearly more")
    expect(tab.verdict).to_contain_text("Still to predict: about the pixel")
    answers = ["obscuring", "leading"] * 10
    tab.choose(answers[0])
    for answer in answers[1:]:
        if tab.solved():
            return
        tab.press("Another pixel")
        tab.idle()
        tab.choose(answer)


def compare(tab: LessonPage) -> None:
    tab.choose_sign(5, 6)
    expect(tab.verdict).to_contain_text("Speed limit 80 1: ")
    expect(tab.verdict).to_contain_text("not 3 times as many")
    tab.choose_sign(5, 8)


def judge(tab: LessonPage) -> None:
    expect(tab.verdict).to_contain_text("Choose a mark")
    marks = tab.page.locator(".st-key-truth-board .mark")
    solved = []
    for number in range(marks.count()):
        take(marks.nth(number))
        solved.append(tab.solved())
    assert False in solved, "a label that the drawing does not confirm"
    take(marks.nth(solved.index(True)))


def take(mark: Locator) -> None:
    """By keyboard."""
    mark.focus()
    mark.page.keyboard.press("Enter")


def defend(tab: LessonPage) -> None:
    expect(tab.verdict).to_contain_text("without a filter")
    slider = tab.page.locator(".st-key-filter-width input[type=range]")
    slider.focus()
    slider.press("End")
    expect(tab.verdict).to_contain_text("Too strong")
    slider.press("Home")
    slider.press("ArrowRight")


def test_the_whole_lesson_by_keyboard(new_tab):
    tab = new_tab().open("lesson")
    for number, (title, play) in enumerate(
        [
            ("Fool it", fool),
            ("Find the pixel", find),
            ("Repair it", repair),
            ("Predict before you see", predict),
            ("The robust network", compare),
            ("Is the label true?", judge),
            ("What defends?", defend),
        ],
        1,
    ):
        expect(tab.page.locator("h1")).to_have_text(title)
        expect(tab.verdict).to_contain_text("Not yet.")
        play(tab)
        expect(tab.verdict).to_contain_text("Solved.")
        if number < 7:
            following = tab.page.get_by_role("button", name="Next: ")
            following.focus()
            tab.page.keyboard.press("Enter")
    expect(tab.page.get_by_text("All 7 steps solved.")).to_be_visible()
    assert "step=7" in tab.page.url


def test_painting_answers_at_once_and_can_be_undone(new_tab):
    tab = new_tab().open("games?game=beat")
    tab.page.locator("button", has_text="black").click()
    board = tab.page.locator(".st-key-beat-board svg")
    board.focus()
    tab.idle()
    for key in ["ArrowUp"] * 12 + ["ArrowLeft"] * 9 + ["Enter"] + ["ArrowDown", "Enter"] * 7:
        tab.page.keyboard.press(key)
    expect(tab.page.get_by_text("Fooled, with 8 pixels.")).to_be_visible()  # quick strokes are not lost
    tab.button("Undo").click()
    expect(tab.page.locator(".st-key-beat-board .title")).to_have_text("7 of 40 pixels.")
    box = board.bounding_box()
    cell = box["width"] / 64
    tab.page.mouse.move(box["x"] + 4.5 * cell, box["y"] + 4.5 * cell)
    tab.page.mouse.down()
    tab.page.mouse.move(box["x"] + 12.5 * cell, box["y"] + 4.5 * cell, steps=4)
    tab.page.mouse.up()
    expect(tab.page.locator(".st-key-beat-board .title")).to_have_text("16 of 40 pixels.")
    tab.button("Clear").click()
    expect(tab.page.get_by_text("40 of 40 pixels are left.")).to_be_visible()


def test_a_class_in_a_room(new_tab):
    teacher = new_tab({"width": 1280, "height": 1000}).open("room")
    teacher.button("Open a room").click()
    code = teacher.page.locator(".way-in .code").inner_text().replace(" ", "")
    picture = cv2.imdecode(np.frombuffer(teacher.page.locator(".way-in img").screenshot(), np.uint8), cv2.IMREAD_COLOR)
    assert cv2.QRCodeDetector().detectAndDecode(picture)[0] == f"{teacher.address}/room?room={code}"

    students = [new_tab(PHONE), new_tab()]
    students += [new_tab(beside=students[1]) for _ in range(STUDENTS - 2)]
    for number, student in enumerate(students):
        student.open(f"room?room={code.lower()}")
        student.page.get_by_label("A name for today, or none").fill(RUDE if number == 0 else "")
        student.button("Join").click()
    for student in students:
        expect(student.page.locator("h1")).to_have_text("Fool it")
    expect(teacher.page.get_by_test_id("stMetricValue").first).to_have_text(str(STUDENTS))

    students[1].page.reload()
    expect(students[1].page.get_by_role("button", name="Leave the room")).to_be_visible()

    first = students[0]
    first.choose_sign(1, 3)
    first.press("Fool the network")
    expect(first.verdict).to_contain_text("Solved.")
    card = teacher.page.locator(".wall figure").first
    expect(card).to_contain_text("2 pixels")
    expect(card).to_contain_text(RUDE)
    joined = teacher.page.get_by_test_id("stMetric").filter(has_text="Joined").get_by_test_id("stMetricValue")
    expect(joined).to_have_text(str(STUDENTS))  # also after a reload
    teacher.page.get_by_text("Names and wall").click()
    expect(teacher.page.locator(".st-key-off_entry input")).to_be_enabled()

    teacher.page.locator(".st-key-hold_step input").click()
    teacher.page.get_by_role("option", name="4 Predict before you see").click()
    for number, student in enumerate(students):
        expect(student.page.locator("h1")).to_have_text("Predict before you see")
        student.choose("clearly more" if number else "clearly fewer")
    bars = teacher.page.get_by_label("clearly fewer: 1, clearly more: 7.")
    expect(bars).to_be_visible()

    teacher.button("End the room").click()
    teacher.button("End it now").click()
    for student in students:
        expect(student.page.get_by_text("it has ended, or the app was started again")).to_be_visible()
