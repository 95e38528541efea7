"""Where the two packages beside the library are, and how they come first on `sys.path`.

`spiders` and `pipelines` lie beside `danvan_crawler` in a checkout, and inside it, under `_project`, when it was
installed from a wheel: their names are too common to be top-level names in everybody's site-packages.

They have to come *first*. Scrapy appends the folder of `scrapy.cfg` to `sys.path`, so any other distribution that
installed a top-level `spiders` shadows ours: `scrapy list` then prints nothing and exits 0. `settings.py` and the
`danvan` command call `activate` before anything is looked up by name.
"""

from __future__ import annotations

import sys
from pathlib import Path

from danvan_crawler.exceptions import DanvanError

PACKAGES = ("spiders", "pipelines")
"""What travels beside the library, found by name at run time."""


def find_root(library: Path) -> Path:
    """The folder that holds `spiders` and `pipelines` for the library in the folder `library`.

    Raises DanvanError when neither place has them.
    """
    installed = library / "_project"
    if _holds_packages(installed):
        return installed
    checkout = library.parent
    # scrapy.cfg tells a checkout from a site-packages folder where somebody else's `spiders` and `pipelines` lie.
    if (checkout / "scrapy.cfg").is_file() and _holds_packages(checkout):
        return checkout
    raise DanvanError(
        f"The installation of danvan-crawler in {library} is incomplete: its spiders and pipelines are neither in "
        f"{installed} nor beside a scrapy.cfg in {checkout}; install it again."
    )


def project_root() -> Path:
    """The folder that holds `spiders` and `pipelines`: the checkout, or `danvan_crawler/_project` of a wheel."""
    return find_root(Path(__file__).resolve().parent)


def activate() -> Path:
    """Puts the project root first on `sys.path`, moving it there if need be, and returns it.

    Calling it again changes nothing. Raises DanvanError when another package of the same name was imported before,
    since Python would go on using that one.
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
    """The folder that `name` was imported from, when it was and that is not the one in `root`."""
    module = sys.modules.get(name)
    if module is None:
        return None
    folders = [Path(entry).resolve() for entry in getattr(module, "__path__", [])]
    if root / name in folders:
        return None
    return str(folders[0] if folders else getattr(module, "__file__", None) or "an unknown place")
