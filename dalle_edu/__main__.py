"""`python -m dalle_edu` is the command `dalle-edu`."""

from dalle_edu.cli import main

if __name__ == "__main__":
    main()
