"""The command ``brickfield``.

Every module here is cheap to import; what a command needs is imported when it
runs. Results go to standard output, progress and errors to standard error.
"""
