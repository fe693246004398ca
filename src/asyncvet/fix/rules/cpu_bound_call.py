"""Run the call in a thread."""

from asyncvet.fix.threads import in_thread as fix

__all__ = ["fix"]
