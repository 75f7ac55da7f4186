"""Counts cases and reports those that fail."""

import sys
import time


class Report:
    """The cases of one peer; the last line is a row of the table that `run` prints."""

    def __init__(self, peer, subject):
        self.peer = peer
        self.subject = subject
        self.count = 0
        self.failures = []
        self.start = time.monotonic()

    def check(self, name, passed, found=""):
        self.count += 1
        if not passed:
            self.failures.append(name)
            print(f"{self.peer}: {name}: {found}", file=sys.stderr)

    def run(self, name, case):
        """Runs a case, which fails by an exception."""
        try:
            case()
        except Exception as error:  # whatever it is, the other cases go on
            self.check(name, False, f"{type(error).__name__}: {error}")
        else:
            self.check(name, True)

    def finish(self):
        passed = self.count - len(self.failures)
        seconds = time.monotonic() - self.start
        print(f"{self.peer}\t{self.subject}\t{self.count}\t{passed}\t{seconds:.1f}")
        sys.exit(1 if self.failures or self.count == 0 else 0)
