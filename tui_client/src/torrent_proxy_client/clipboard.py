"""The clipboard: the system's where pyperclip is installed and finds one."""

import importlib


def copy_to_system(text: str) -> bool:
    """False when there is none to be reached; the terminal's own (OSC 52) is then the way."""
    try:
        pyperclip = importlib.import_module("pyperclip")
    except ImportError:
        return False
    try:
        pyperclip.copy(text)
    except pyperclip.PyperclipException:
        return False
    return True
