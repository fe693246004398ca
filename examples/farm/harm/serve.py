"""Start a service of the farm with a bad form put in: `python -m harm.serve runtime --variant no-lock-on-load`."""

import argparse
import importlib
import os


def main() -> None:
    """Serve until told to stop."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when numpy is imported
    from harm.conditions import CONDITIONS
    from harm.variants import VARIANTS

    parser = argparse.ArgumentParser()
    parser.add_argument("service", choices=["runtime", "server"])
    parser.add_argument("--variant", choices=sorted(VARIANTS), help="the bad form to put in (default: none)")
    parser.add_argument("--condition", choices=sorted(CONDITIONS), help="what the service has to live with")
    options = parser.parse_args()
    module = importlib.import_module(f"farm.{options.service}.__main__")
    importlib.import_module(f"farm.{options.service}.app")
    if options.condition:
        CONDITIONS[options.condition]()
    if options.variant:
        VARIANTS[options.variant].put_in()
    module.main()


if __name__ == "__main__":
    main()
