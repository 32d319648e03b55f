# SPDX-License-Identifier: GPL-2.0-or-later
"""Small files of text."""

import os


def read(path):
    """The text; none if there is no such file."""
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def append(path, text):
    with open(path, "a") as file:
        file.write(text)


def install(path, text, mode=0o644):
    """Write the file, and make its directories."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    write(path, text)
    os.chmod(path, mode)
