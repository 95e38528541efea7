"""Find the packages `spiders` and `pipelines`, and put them first on `sys.path`.

They are beside `danvan_crawler` in a checkout, and inside it, in `_project`, if it was installed from a wheel: their
names are too common for top-level packages in site-packages.

They must come *first*. Scrapy appends the folder of `scrapy.cfg` to `sys.path`, so any other distribution with a
top-level `spiders` shadows ours: `scrapy list` then prints nothing and exits 0. `settings.py` and the `danvan` command
call `activate` before anything is looked up by name.
"""

from __future__ import annotations

import sys
from pathlib import Path

from danvan_crawler.exceptions import DanvanError

PACKAGES = ("spiders", "pipelines")
"""The packages beside the library, found by name at run time."""


def find_root(library: Path) -> Path:
    """The folder with `spiders` and `pipelines` for the library in the folder `library`.

    Raises DanvanError if neither place has them.
    """
    installed = library / "_project"
    if _holds_packages(installed):
        return installed
    checkout = library.parent
    # scrapy.cfg distinguishes a checkout from a site-packages folder with other packages of these names.
    if (checkout / "scrapy.cfg").is_file() and _holds_packages(checkout):
        return checkout
    raise DanvanError(
        f"The installation of danvan-crawler in {library} is incomplete: its spiders and pipelines are neither in "
        f"{installed} nor beside a scrapy.cfg in {checkout}; install it again."
    )


def project_root() -> Path:
    """The folder with `spiders` and `pipelines`: the checkout, or `danvan_crawler/_project` of a wheel."""
    return find_root(Path(__file__).resolve().parent)


def activate() -> Path:
    """Puts the project root first on `sys.path` and returns it.

    Idempotent. Raises DanvanError if another package of the same name is already imported, because Python would
    continue to use it.
    """
    root = project_root()
    for name in PACKAGES:
        foreign = _imported_from_elsewhere(name, root)
        if foreign:
            raise DanvanError(f"Another package named {name} is already imported from {foreign}; ours is in {root}.")
    entry = str(root)
    sys.path[:] = [entry, *(other for other in sys.path if other != entry)]
    return root


def _holds_packages(folder: Path) -> bool:
    return all((folder / name).is_dir() for name in PACKAGES)


def _imported_from_elsewhere(name: str, root: Path) -> str | None:
    """The folder from which `name` was imported; None if it is not imported or comes from `root`."""
    module = sys.modules.get(name)
    if module is None:
        return None
    folders = [Path(entry).resolve() for entry in getattr(module, "__path__", [])]
    if root / name in folders:
        return None
    return str(folders[0] if folders else getattr(module, "__file__", None) or "an unknown place")
