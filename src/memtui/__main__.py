"""``memtui`` and ``python -m memtui``."""

import gc
import signal


def main() -> None:
    """Run the command line; ctrl+c while it is still loaded ends it without a traceback."""
    own = signal.getsignal(signal.SIGINT)
    if own is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    gc.disable()  # what is loaded stays: nothing of it could be collected
    from memtui.cli import main as run

    gc.freeze()
    gc.enable()
    signal.signal(signal.SIGINT, own)
    run()


if __name__ == "__main__":
    main()
