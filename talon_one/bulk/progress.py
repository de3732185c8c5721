"""Progress bars of tqdm and rich for bulk jobs, if the package is installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import rich.progress

    from talon_one.bulk.reports import Progress


def with_tqdm(**options: Any) -> Callable[[Progress], None]:
    """Return a progress callback that shows a bar of tqdm. Use a new one for each run.

    Args:
        options: Keyword arguments of tqdm, such as ``desc="Profiles"``.

    Raises:
        ImportError: tqdm is not installed.
    """
    try:
        from tqdm import tqdm
    except ImportError as cause:
        raise ImportError("with_tqdm needs tqdm: pip install tqdm") from cause

    class Bar(tqdm):  # type: ignore[type-arg]  # generic only since 4.67
        # Do not leave a monitor thread behind. It would adjust `miniters`, which is set below.
        monitor_interval = 0

    bar: Any = None

    def show(progress: Progress) -> None:
        nonlocal bar
        if bar is None:
            # Rows of earlier runs must not count for the speed of this one (``initial``), and every
            # chunk must show, however seldom one ends (``miniters``).
            defaults = {
                "unit": "rows",
                "total": progress.total,
                "initial": progress.done,
                "miniters": 1,
            }
            bar = Bar(**{**defaults, **options})
        if progress.failed or progress.unknown:
            bar.set_postfix(failed=progress.failed, unknown=progress.unknown, refresh=False)
        bar.update(progress.done - bar.n)
        if progress.finished:
            bar.close()

    return show


def with_rich(
    description: str = "Rows", display: rich.progress.Progress | None = None
) -> Callable[[Progress], None]:
    """Return a progress callback that shows a bar of rich. Use a new one for each run.

    Args:
        description: Text beside the bar.
        display: Display to add the bar to. By default the bar has its own, which starts and stops
            with the run.

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
