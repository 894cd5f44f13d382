"""The summary of a soak run, and its checks on memory and disk."""

from support.soak.run import MIB, SPOOL_MAXIMUM, SPOOL_SEGMENT, STORE_MAXIMUM

# Shorter lives say nothing about the slope of memory.
JUDGED_LIFE = 300
# Memory that the second half of a life may gain by its fitted line, as a share of the median.
GROWTH_LIMIT = 0.15
# Retention runs every ten minutes: until then the database grows by what comes in.
RETENTION_PERIOD = 600
STORED_BYTES_PER_READING = 130
CHECKPOINTS_KEPT = 2


def judge(soak):
    """Adds the failures that only show at the end."""
    for life in soak.watch.lives:
        if life.age >= JUDGED_LIFE:
            median = sorted(life.settled)[len(life.settled) // 2]
            growth = life.slope() * life.age / 2
            if growth > GROWTH_LIMIT * median:
                soak.fail("memory", f"process {life.number} grew by {growth / 1e6:.0f} MB in the second half of its {life.age:.0f} s")
    largest = max((life.last.get("tocsin_checkpoint_bytes", 0) for life in soak.watch.lives), default=0)
    limits = {
        "spool": SPOOL_MAXIMUM + SPOOL_SEGMENT,
        # One more while it is written.
        "checkpoints": (CHECKPOINTS_KEPT + 1) * largest * 1.5 + MIB,
        "database": STORE_MAXIMUM + RETENTION_PERIOD * soak.rate * STORED_BYTES_PER_READING}
    for name, limit in limits.items():
        if soak.watch.disk[name] > limit:
            soak.fail("disk", f"{name}: {soak.watch.disk[name] / 1e6:.0f} MB, limit {limit / 1e6:.0f} MB")
    return limits


def table(soak, limits):
    """The summary as Markdown."""
    lines = ["| what | figure |", "|---|---|"]
    for name, figure in figures(soak, limits):
        lines.append(f"| {name} | {figure} |")
    lines += ["", "| process | began by | ready | age | RSS start | median | max | slope of 2nd half |", "|---|---|---|---|---|---|---|---|"]
    for life in soak.watch.lives:
        sizes = sorted(life.settled) or [0]
        start = next(iter(life.settled), 0)
        slope = f"{life.slope() * 3600 / 1e6:+.0f} MB/h" if life.age >= JUDGED_LIFE else "too short"
        lines.append(
            f"| {life.number} | {life.began_by} | {life.ready:.2f} s | {life.age:.0f} s | {start / 1e6:.0f} MB | "
            f"{sizes[len(sizes) // 2] / 1e6:.0f} MB | {sizes[-1] / 1e6:.0f} MB | {slope} |")
    lines += ["", "| fault | times | what happened |", "|---|---|---|"]
    for name, results in soak.injected.items():
        lines.append(f"| {name} | {len(results)} | {'; '.join(results)} |")
    if soak.log_lines:
        lines += ["", "| lines of the log | times |", "|---|---|"]
        lines += [f"| {text.replace('|', '/')} | {count} |" for text, count in soak.log_lines.most_common(15)]
    lines += ["", "no failures" if not soak.failures else "FAILURES"]
    lines += [f"- {check} ({len(found)}): {found[0]}" for check, found in soak.failures.items()]
    return "\n".join(lines)


def figures(soak, limits):
    load, watch, probe = soak.load.tally, soak.watch, soak.probe
    total = {name: watch.total(f"tocsin_readings_{name}") for name in (
        "received_total", "stored_total", "late_total", "duplicate_total", "dead_lettered_total", "recovered_total")}
    yield "length", f"{soak.lasted / 60:.1f} min, {len(watch.lives)} processes"
    yield "load offered", f"{soak.rate:,.0f} readings/s; {load.get('sent') / 1e6:.1f} M sent, {load.get('left_out') / 1e6:.2f} M left out while nobody answered"
    yield "load acknowledged", f"{load.get('acknowledged') / 1e6:.1f} M ({load.get('acknowledged') / soak.lasted:,.0f}/s); slowest answer {load.slowest:.2f} s"
    yield "answers other than 202", ", ".join(
        f"{'none at all' if name == 'status_0' else name[7:]}: {count}" for name, count in sorted(load.counts.items())
        if name.startswith("status_") and name != "status_202") or "none"
    yield "received, all processes", ", ".join(f"{name.removesuffix('_total').replace('_', '-')} {value:,.0f}" for name, value in total.items())
    yield "scrapes of /metrics", f"{watch.scrapes:,}, identity broken at {len(soak.failures.get('identity', []))}; slowest {watch.slowest:.2f} s"
    yield "probe", f"{probe.acknowledged:,} acknowledged, {probe.found:,} found in the store, once; {probe.retries} retries; longest {probe.slowest:.1f} s"
    yield "alarms told", f"{soak.alarm_lines:,}; twice or damaged {len(soak.failures.get('alarms', []))}"
    yield "reader of /live", f"{soak.screen.lines:,} lines, longest pause {soak.screen.longest:.1f} s, told {soak.screen.gaps} gaps"
    yield "slowest start to ready", f"{max(life.ready for life in watch.lives):.2f} s"
    yield "CPU of the program", f"{watch.total('process_cpu_seconds_total') / soak.lasted * 100:.0f} % of a core"
    for name, bytes_ in watch.disk.items():
        limit = f" (limit {limits[name] / 1e6:,.0f} MB)" if name in limits else ""
        yield f"disk, {name}, most", f"{bytes_ / 1e6:,.0f} MB{limit}"
    yield "checkpoint, longest pause told last", f"{max(life.last.get('tocsin_checkpoint_pause_seconds', 0) for life in watch.lives) * 1000:.1f} ms"
