"""HTML pages from Jinja templates, which lie beside the modules that fill them.

Values are escaped, and a name that a template does not know is an error and not an empty place.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, **values: Any) -> str:
    """A page. `template` is a path in this package, e.g. `health/status_page.html`."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    # Few commands write HTML; they all would wait for this import.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader(__name__.rpartition(".")[0], package_path=""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
