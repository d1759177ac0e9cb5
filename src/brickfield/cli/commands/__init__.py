"""Commands of the program, one per module: ``brickfield info``, ``render``, ``view``.

Groups of commands have folders of their own beside this one.
"""
