"""The lesson, 45 minutes, as data: each step is a text, something to play with, a task, and what checks it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from explorer.ui.lesson import plays
from explorer.ui.lesson.checks import (
    Verdict,
    check_compared,
    check_defended,
    check_fooled,
    check_found,
    check_judged,
    check_predicted,
    check_repaired,
)
from explorer.ui.lesson.desk import Desk


@dataclass(frozen=True)
class Step:
    """One step. All texts are markdown; `formula` is one click deeper, `notes` are for the teacher."""

    title: str
    minutes: int
    text: str
    task: str
    formula: str
    notes: str
    play: Callable[[Desk], Any]  # draws what can be played with; what it returns is judged, None: not ready
    check: Callable[[Any], Verdict]


STEPS: tuple[Step, ...] = (
    Step(
        title="Fool it",
        minutes=5,
        text="""
A neural network looks at a road sign of 64 × 64 pixels, 4,096 in all, and says which sign it is. It is nearly always
right. Now somebody may repaint **a few pixels**, in any colour, and looks for those few that make it say something
else. This is a *sparse attack*: sparse means few.

Choose a sign, press the button and watch. The marks on the right show where something was changed.
""",
        task="Find a sign that falls with **3 pixels or fewer**.",
        formula=r"""
A picture is a list of numbers $x$: three per pixel, for red, green and blue. The network turns it into one score per
sign, called *logits* $z$, and sees the sign with the highest score. The attack looks for a change $\delta$ with

$$\arg\max_k z_k(x+\delta) \ne y \qquad\text{and as few changed pixels as possible,}\quad \min \lVert\delta\rVert_0 .$$

$\lVert\delta\rVert_0$ counts the changed pixels, and $y$ is the true sign. The percentages are
$e^{z_k} / \sum_j e^{z_j}$ (*softmax*).
""",
        notes="""
- Let everybody guess first: how many of 4,096 pixels will it take? Hardly anybody says fewer than 100.
- Signs with numbers fall soonest: 50 and 80 differ in a few strokes. *No entry 3* is small and in haze. Stop needs
  about 12, a priority road about 18.
- Ask: would *you* be fooled by the picture? Then what is different about how the network looks?
- The network runs on this computer, and nothing is sent anywhere.
""",
        play=plays.play_fool,
        check=check_fooled,
    ),
    Step(
        title="Find the pixel",
        minutes=5,
        text="""
Your turn: **where** is the picture changed? Look closely. Point at a pixel that you think was changed. A full ring
means yes, a dashed one no. The pixel beside it counts as well.

Stuck? Switch *Show the picture before* on and off: what jumps is what was changed. Astronomers found Pluto that way.
""",
        task="Find **three** of the changed pixels (or all, where there are fewer).",
        formula=r"""
The computer does it by subtraction: $\delta = x' - x$, pixel by pixel. A pixel was changed if any of its three
numbers differs. The numbers are whole, from 0 to 255: this is all that a picture file can hold, so the attack is made
for these 256 steps too.
""",
        notes="""
- Bright dots on red jump to the eye, those in leaves and bars do not. Eyes see shapes and pass over dots; the network
  does not.
- Signs with few changed pixels are the hardest to search. *Priority road 1* is the easiest.
- Whoever is done early: do the changed pixels lie on the sign or beside it? Why?
""",
        play=plays.play_find,
        check=check_found,
    ),
    Step(
        title="Repair it",
        minutes=6,
        text="""
Now undo the attack. **Click a mark to put its pixel back** as it was; click again to change it anew. The bars follow
at once: green is what the network says now, grey what it said of the clean picture.

One pixel is often enough to tip the answer back, since the attack goes only just as far as it must. But is the
network *sure* then?
""",
        task="Make the network at least **90 %** sure of the true sign again, with as few pixels put back as you can.",
        formula=r"""
How far the network is from changing its mind is the *margin* $m = z_y - \max_{k \ne y} z_k$: the lead of the true
sign's score over the best other one. Fooled means $m < 0$. Putting back pixel $i$ alone moves the true sign's score
by $o_i = z_y(x' - \delta_i) - z_y(x')$. Two pixels together need not do $o_1 + o_2$: the network is no straight line.
""",
        notes="""
- The number that is enough was found by always putting back the pixel that helps most. That is called *greedy*, and
  is not always the best; if somebody needs fewer, that is worth a round of applause.
- Ask for a strategy: try each pixel alone, write down the percentage, then start with the best.
- Blue and orange marks come in step 4.
""",
        play=plays.play_repair,
        check=check_repaired,
    ),
    Step(
        title="Predict before you see",
        minutes=8,
        text="""
Science is to say **beforehand** what will happen. Make two predictions, lock them in, and only then look.

The attack has a dial called **λ** (lambda): what each changed pixel costs. And every changed pixel does one of two
things: **obscuring** ● ones hide the true sign, **leading** ◆ ones draw a bit of the wrong one.
""",
        task="Make **one right prediction of each kind**. Was it wrong? Read why, and take the next question.",
        formula=r"""
The attack gives every pixel a weight $v_i \ge 0$ and goes downhill on

$$\text{loss}(x + v \cdot \delta) \; + \; \lambda \sum_i \text{step}_a(v_i) .$$

- **λ** is the price of a pixel. What one sees: a low price, and many pixels are bought.
- **a** is the *width of the normal*. Counting is a hard step, 0 or 1, and downhill needs a slope, so the step is
  smeared over a width $a$, in the shape of a bell curve (*normal*). What one sees: weights below about $2a$ are
  pulled to zero, and larger ones are left in peace.
- **τ** is the *threshold of the ReLU*: after every step, weights below τ become exactly zero. What one sees: pixels
  that hardly matter vanish from the picture at once.

A pixel is *obscuring* if putting it back returns more to the true sign than it takes from the wrong one.
""",
        notes="""
- Take a show of hands before anybody locks in; in a room, the bars are on the teacher's screen.
- λ = 0.1 gives many more pixels, as most expect. **λ = 3 gives more than λ = 1 on most signs**, which hardly
  anybody expects: a price that is too high pushes good pixels out as well. On some signs it is about as many.
- The judge of the second question is no formula but the network: the pixel is put back, and the scores are read
  again.
- Being wrong is fine here. The task is solved by reading why.
""",
        play=plays.play_predict,
        check=check_predicted,
    ),
    Step(
        title="The robust network",
        minutes=6,
        text="""
Two networks of the same build. The *ordinary* one learned from clean signs. The *robust* one learned from signs that
were **attacked again and again during its training**, a little everywhere. It has seen tricks before.

But it trained against another trick: tiny changes of *all* pixels. Does that help against big changes of a *few*?
""",
        task="Find a sign for which the robust network takes **at least 3 times as many** pixels as the ordinary one.",
        formula=r"""
Ordinary training makes the loss small: $\min_\theta \; \text{loss}(x)$. *Adversarial training* makes the worst case
small:

$$\min_\theta \; \max_{\lVert\delta\rVert_\infty \le \varepsilon} \; \text{loss}(x + \delta) .$$

$\lVert\delta\rVert_\infty \le \varepsilon$ means: every pixel may change, none by more than ε. The sparse attack
plays by other rules, $\lVert\delta\rVert_0 \le k$: a few pixels may change, by as much as they like.
""",
        notes="""
- *Stop 4*, *Turn left 1* and *Roundabout 1* do it; *Stop 1* and *Speed limit 80 1* do not.
- The point: "robust" is always robust **against something**. Ask for examples from elsewhere: a raincoat, a vaccine,
  a lock.
- Compare the kinds of mistake as well: those of the robust network are often easier to understand.
""",
        play=plays.play_robust,
        check=check_compared,
    ),
    Step(
        title="Is the label true?",
        minutes=7,
        text="""
Who says that a pixel *hides the true sign*? A method that looks into the network. Can one check it? Here, yes: these
signs are **drawn by a program**, so the same scene can be drawn with the wrong sign. Where the two drawings differ,
it is known what belongs to which.

On **blue ground** only the true sign has something: obscuring ● pixels belong there. On **orange ground** only the
wrong one has: leading ◆ pixels belong there.
""",
        task="Choose a mark whose label the drawing **confirms**.",
        formula=r"""
For each pixel two numbers are compared: how much its change lowers the true sign's score (*obscuring*), and how much
it raises the wrong one's (*leading*). They are shares of the whole change, by *integrated gradients*: the slope of
the score, added up on the straight way from the clean to the attacked picture,

$$\text{share}_i = \delta_i \cdot \int_0^1 \frac{\partial z}{\partial x_i}\,(x + t\,\delta)\; dt .$$

The larger of the two names the pixel.
""",
        notes="""
- Not every label holds, and that is the lesson: an explanation is a claim, and needs a test that could fail.
- The page *Ground truth* does this on hundreds of signs: labels fall where they should more often than by chance, and
  far from always. *Count them all* shows it for this sign.
- *Pedestrians 1* confirms none, which is worth a talk: is the label wrong, or does the network look at something else
  than we do?
""",
        play=plays.play_truth,
        check=check_judged,
    ),
    Step(
        title="What defends?",
        minutes=8,
        text="""
If a few odd pixels do the harm, can one simply **wash them out** before the network looks? Two filters to try: the
*median* lets neighbours outvote an odd pixel, the *blur* waters it down.

Five signs go through your filter, clean and attacked. A defence must do both: stop the attacks, **and** leave the
network able to read.
""",
        task="Find a filter with which the network sees **all five signs correctly, clean and attacked**.",
        formula=r"""
The median of 3 × 3: put the nine values in order, and take the fifth, for red, green and blue apart. A single outlier
never is the fifth.

**But:** whoever knows that the filter is there attacks *through* it, looking for $\delta$ with $\arg\max_k
z_k(\text{filter}(x+\delta)) \ne y$. That costs more pixels, in clumps, but it works. A defence counts only against
somebody who knows it (*Kerckhoffs's principle*).
""",
        notes="""
- 3 × 3 is enough here, for both networks. The widest windows blind the network: a defence has a price.
- Then ask the real question: *you are the attacker, and know about the filter. What do you do?* (Change clumps: three
  pixels side by side outvote the rest.) So a filter is no proof of safety.
- To end: which of the three would you trust in a car: the robust network, the filter, both, or a second sensor?
""",
        play=plays.play_defend,
        check=check_defended,
    ),
)

MINUTES = sum(step.minutes for step in STEPS)
