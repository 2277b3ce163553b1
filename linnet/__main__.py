"""`python -m linnet` is the program `linnet`."""

from linnet.cli import main

if __name__ == "__main__":
    main()
