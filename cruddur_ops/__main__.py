"""``python -m cruddur_ops``: the program where no script of it is on the path."""

from cruddur_ops import main

main()
