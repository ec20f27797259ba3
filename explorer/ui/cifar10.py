"""CIFAR-10's test set, where it is not here yet: downloaded on a click, with progress and Stop."""

from explorer.jobs import Job
from explorer.samples import cifar10_folder, download_cifar10
from explorer.samples.cifar10 import MEGABYTES, VARIABLE
from explorer.ui.long_runs import LongRun, control, long_runs
from explorer.ui.markdown import plain

QUEUE = "downloads"  # one after the other, beside the devices' work
PATIENCE = 4 * 3600.0  # seconds: a slow line is slow


def offer_cifar10() -> None:
    """Say where the pictures would go and what they weigh, and offer to fetch them."""
    folder = cifar10_folder()
    key = f"cifar10-{folder}"

    def advance(job: Job) -> bool:
        def on_bytes(done: int, total: int) -> None:
            job.report(done, total or MEGABYTES * 10**6, f"CIFAR-10: {done / 1e6:,.0f} of {total / 1e6:,.0f} MB")

        download_cifar10(on_bytes, lambda: job.should_stop, folder)
        return False

    run = long_runs().get(key, lambda: LongRun(key, QUEUE, advance, folder, kind="download", deadline=PATIENCE))
    control(
        run,
        f"Download {MEGABYTES} MB",
        None,
        f"CIFAR-10's test set is not on the computer that runs this app. It would go to {plain(folder)}; pictures that "
        f"are there, one folder per class, can be named in {VARIABLE}. Until then another picture is shown.",
        key="cifar10-download",
    )
