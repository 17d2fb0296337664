"""labelrelay puts webhooks of Labelbox and Label Studio on your queue.

The work is done by a program of the same name, which this package brings. `find_program` says where it
lies, and `python -m labelrelay` runs it.
"""

from importlib.metadata import version as _version

from ._program import find_program

__all__ = ["__version__", "find_program"]
__version__ = _version("labelrelay")
