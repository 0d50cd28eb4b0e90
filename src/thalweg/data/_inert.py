"""Text from files made harmless before it is shown."""

LONGEST = 60


def inert(text: object, longest: int = LONGEST) -> str:
    """Return a text with control characters and direction marks escaped, and cut short."""
    out = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in str(text)[: 4 * longest])
    return out if len(out) <= longest else out[: longest - 3] + "..."
