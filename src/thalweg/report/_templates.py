"""The templates of the pages."""

import functools

import jinja2


@functools.cache
def environment() -> jinja2.Environment:
    """Return the templates; everything that comes from outside is escaped."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("thalweg.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
