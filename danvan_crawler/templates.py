"""HTML pages from Jinja templates, which are beside the modules that use them.

Values are escaped, and an undefined name in a template is an error.
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
    # Imported late: only few commands write HTML.
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
