"""The soak run in small: twenty seconds of load with a few faults. `scripts/soak HOURS` is the long one."""

import sys

sys.dont_write_bytecode = True
from support.harness import check, expect, folder, main
from support.soak.report import judge, table
from support.soak.run import Soak

SECONDS = 20
FAULTS = ["late", "names", "kill"]


@check(f"soak: {SECONDS} s of load with faults: in is out, what was acknowledged is there once, memory and disk are bounded")
def small():
    with folder() as place:
        run = Soak(place, SECONDS / 3600, rate=20_000, sensors=400, faults=FAULTS, every=4)
        run.run()
        summary = table(run, judge(run))
        expect(not run.failures, "; ".join(f"{name}: {found[0]}" for name, found in run.failures.items()))
        expect(set(run.injected) == set(FAULTS), f"not every fault was injected: {dict(run.injected)}")
        expect(run.probe.found == run.probe.acknowledged > 0, f"the probe's readings:\n{summary}")


main()
