"""A stop inside a decoder's callback is not lost."""

from __future__ import annotations

import signal
import threading

import pytest

from linnet.data.holding import stop_held


def test_a_stop_comes_after_what_was_held() -> None:
    done = []

    def decode() -> None:
        with stop_held():
            signal.raise_signal(signal.SIGINT)
            done.append(True)

    with pytest.raises(KeyboardInterrupt):
        decode()
    assert done == [True]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_threads_hold_nothing() -> None:
    seen = []

    def run() -> None:
        with stop_held():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]
