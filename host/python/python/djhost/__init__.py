"""Data-Juicer style recipes over datasets, with sandboxed WebAssembly operators."""

from djhost._djhost import __version__

__all__ = ["__version__"]
