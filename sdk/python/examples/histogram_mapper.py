"""A mapper from bytes to a vector."""

from djhost_sdk import Blob, Vector, mapper

QUARTERS = 4


@mapper(writes={"histogram": Vector(QUARTERS)})
def python_histogram_mapper(file: Blob | None) -> dict | None:
    """Puts the share of each quarter of byte values into a vector."""
    if file is None:
        return None
    shares = [0.0] * QUARTERS
    for byte in file:
        shares[byte // 64] += 1 / len(file)
    return {"histogram": shares}
