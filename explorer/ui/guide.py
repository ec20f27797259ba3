"""In-app help: how to read the page."""

import streamlit as st

from explorer.palette import LOOKS

HOW_TO_READ = f"""
**The attack** looks for the fewest pixels whose change makes the network see another class. The *sparse attack* first
finds a dense change that fools the network, then gives every pixel a weight and drives as many weights as it can to
zero; the others, chosen under *Attack*, go other ways (*optimised*). Then the pixels that were not needed are dropped
(*pruned*), the rest is improved so that more can go (*polished*), and, if asked for, a random search tries to get by
with one pixel less (*random*).

**Obscuring** {LOOKS["obscuring"].sign} pixels hide the true class: they lower its logit more than they raise
the wrong one's. **Leading** {LOOKS["leading"].sign} pixels point to the wrong class: they raise its logit more
than they lower the true one's. A **hollow** mark is a weak label: both numbers are small, or they are close.
Logits are the network's raw scores, compared with their mean over all classes.

Of the sparse attack, **a** is the width of the smooth step that stands in for "counted or not"; **λ** is the price of
a pixel; **τ** is the threshold below which a weight is set to zero. They act on the optimised stage, so that is the one
that is shown while you turn them; click *polished* for the final result. Hollow marks are pixels of the run before that
are gone, a green ring is a pixel that is new. The curves say what each slider would do elsewhere.

**A label is a claim, so it is checked.** Reverting one pixel at a time tests it without any gradient, and so does
reverting all obscuring or all leading pixels together. The card above the checks is *green* if they hold, *amber* if
they are to be read with care, *red* if they should not be believed here. *The whole proof* asks every other method and
makes every check; *What if* lets you try for yourself; the page *Ground truth* compares the labels with where the
evidence is known to lie.

**On the pictures** point at a pixel, or tap it, to compare it, click a mark or drag around several to select them
everywhere (Shift adds), zoom with + and −, or Ctrl and the wheel. By keyboard: arrows move, Enter or Space takes a
mark, Escape lets go.

**Any picture, any network.** A network sees pictures of one size, so yours are cropped in the middle and resized: the
frame on the original shows what is left. *By area* a new pixel is the mean of what it covers, *by nearest* the one at
its middle. Only the pictures of a network's own data set come with their true class; for all others it is
guessed from the prediction, until you say better under *True class*. ImageNet's networks are downloaded when you press
the button, and are used without a connection from then on. Weights that you upload stay in your visit: nobody else
sees them, and they are gone with it.

A click opens an earlier **run of this visit** as it was. **Pin** a result to set it beside another one: which settings
differ, and which changed pixels both share.

The page's address holds picture, network and all settings: copy it to share what you see. Uploads are not in it.
"""


def guide() -> None:
    with st.expander("How to read this"):
        st.markdown(HOW_TO_READ)


HOW_TO_TUNE = """
**A cell is a setting**, the mean over the pictures (pixels and confidence: of those that were fooled). A click opens it
in Explore. The ring is the current setting, where the sliders stand. Axes and colours are logarithmic where they span
decades. Runs of the sparse attack that differ in a, λ and τ alone share a batch, and its time is shared out evenly: to
compare times, vary something else, or look at pruning and polishing.

**The Pareto front** is made of the settings that no other one beats in both directions: no other needs fewer pixels and
fools as often.

**Stop keeps what is done**, and so does closing the page: what was found lies on the server, and the link finds it
again. A larger grid does only what is new. Everybody with the same link sees the same run.

**Find the best for me** lets Optuna choose the settings, trial by trial, by three goals: few pixels, success, little
time. What it recommends is checked on pictures that the search has not seen.
"""


def tuning_guide() -> None:
    with st.expander("How to read this"):
        st.markdown(HOW_TO_TUNE)


HOW_TO_STUDY = """
**What is attacked.** Every picture that a network sees correctly, once. Pictures that it mistakes, that cannot be read,
or that are there twice, are listed under *Not attacked* with the reason. Where nobody knows the true class, what the
network sees takes its place.

**Fooled** is a share of the attacked pictures; pixels, flow, kinds and places are those of the fooled ones. *At most so
many* says how many pictures a budget of pixels is enough for.

**Kinds.** Obscuring pixels hide the true class, leading ones point to the wrong class. Is that a property of one
picture, or of a class, or of the network? An interval that leaves out another one's says that the two differ. The
pixels of one picture go together, so the intervals are made by drawing pictures anew, not pixels.

**Places.** Changed pixels of all pictures on one map: where are networks easy to fool? A pixel *recurs* if it changed
in two pictures or more; some do by chance, and the sentence says how many would.

**Stop keeps what is done**, and so does closing the page: the link finds it again, and everybody with the same link
sees the same study. Pictures or weights of your own stay in your visit.

**The report** is one file with everything, to be kept, printed or put beside a paper. `python -m explorer dataset` does
the same without a limit.
"""


def dataset_guide() -> None:
    with st.expander("How to read this"):
        st.markdown(HOW_TO_STUDY)
