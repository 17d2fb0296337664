"""`python -m labelrelay`: the program of this installation."""

from ._program import run

if __name__ == "__main__":
    run()
