"""Progress of bulk work as a bar of tqdm or rich, where one of them is installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import rich.progress

    from talon_one.bulk.reports import Progress


def with_tqdm(**options: Any) -> Callable[[Progress], None]:
    """Return what shows the progress of bulk work as a bar of tqdm.

    Args:
        options: What tqdm takes, such as ``desc="Profiles"``.

    Raises:
        ImportError: tqdm is not installed.
    """
    try:
        from tqdm import tqdm
    except ImportError as cause:
        raise ImportError("with_tqdm needs tqdm: pip install tqdm") from cause

    class Bar(tqdm):  # type: ignore[type-arg]  # at run time it takes no argument before 4.67
        monitor_interval = 0  # No thread that stays behind, see `miniters`.

    bar: Any = None

    def show(progress: Progress) -> None:
        nonlocal bar
        if bar is None:
            # What earlier runs did says nothing of the speed of this one. Every chunk counts,
            # however seldom one is through.
            begun = {
                "unit": "rows",
                "total": progress.total,
                "initial": progress.done,
                "miniters": 1,
            }
            bar = Bar(**{**begun, **options})
        if progress.failed or progress.unknown:
            bar.set_postfix(failed=progress.failed, unknown=progress.unknown, refresh=False)
        bar.update(progress.done - bar.n)
        if progress.finished:
            bar.close()

    return show


def with_rich(
    description: str = "Rows", display: rich.progress.Progress | None = None
) -> Callable[[Progress], None]:
    """Return what shows the progress of bulk work as a bar of rich.

    Args:
        description: What stands beside the bar.
        display: Where the bar is added. Without it there is one of its own, which begins and ends
            with the work.

    Raises:
        ImportError: rich is not installed.
    """
    try:
        from rich.progress import Progress as Display
    except ImportError as cause:
        raise ImportError('with_rich needs rich: pip install "talon_one[cli]"') from cause
    shown = Display() if display is None else display
    task: Any = None

    def show(progress: Progress) -> None:
        nonlocal task
        if task is None:
            if display is None:
                shown.start()
            task = shown.add_task(description, total=progress.total, completed=progress.done)
        text = description
        if progress.failed or progress.unknown:
            text += f", {progress.failed} failed, {progress.unknown} unknown"
        shown.update(task, completed=progress.done, description=text)
        if progress.finished and display is None:
            shown.stop()

    return show
