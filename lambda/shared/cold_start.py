"""Start sooner: a handler's module imports and makes everything within `with cold_start():`."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def cold_start() -> Iterator[None]:
    """Collect no garbage while the block runs, and leave what it made out of every later collection.

    Almost nothing that is allocated while modules are imported and models are made becomes garbage, and the collector
    would look through all of it again and again: a tenth of a start. What a start makes lives as long as its process
    (https://docs.python.org/3/library/gc.html#gc.freeze).
    """
    is_collecting = gc.isenabled()
    gc.disable()
    try:
        # It makes classes by the thousand. Imported by what is imported by others, its calls may come to lie at the end
        # of one of the pieces that Python keeps its frames in, and take and return the next one each time: 40 ms.
        import pydantic.main  # noqa: F401, PLC0415 # from here it never lies so deep

        yield
        gc.freeze()
    finally:
        if is_collecting:
            gc.enable()
