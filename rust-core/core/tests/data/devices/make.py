#!/usr/bin/env python3
"""Writes the recorded devices of this folder: Python 3 only, always the same.

    python3 make.py

Each is a scenario as the platforms' documentation describes it: battery
readings every 60 s (ACTION_BATTERY_CHANGED comes every 30 to 60 s), thermal
level when asked for along with them, Android's thermal headroom every 10 s (NaN
when unsupported or asked more often, 1.0 = severe throttling), iOS' four levels
and a battery of -1 unless monitoring is on. Times are milliseconds of a clock
that runs on in sleep. The expected thresholds beside them (NAME.golden.jsonl)
come from `cargo test -p biglittle --test devices` with BIGLITTLE_BLESS=1.
"""

import json
import math
import pathlib

HERE = pathlib.Path(__file__).parent


def reading(at_s, battery=None, charging=False, low_power=False, heat="none", headroom=None):
    values = {
        "at_ms": round(at_s * 1000),
        "battery_percent": battery,
        "charging": charging,
        "low_power_mode": low_power,
        "thermal_level": heat,
        "thermal_headroom": headroom,
    }
    if isinstance(headroom, float):
        values["thermal_headroom"] = "nan" if math.isnan(headroom) else round(headroom, 3)
    if isinstance(battery, float):
        values["battery_percent"] = round(battery, 1)
    return {"reading": {name: value for name, value in values.items() if value is not None}}


def mode(at_s, name):
    return {"mode": {"at_ms": round(at_s * 1000), "mode": name}}


def restart(at_s):
    return {"restart": {"at_ms": round(at_s * 1000)}}


def status(headroom):
    """Android's level for a headroom: 1.0 is severe by definition."""
    return "none" if headroom < 0.7 else "light" if headroom < 0.85 else (
        "moderate" if headroom < 1.0 else "severe" if headroom < 1.15 else "critical")


def morning_to_empty():
    for minute in range(0, 16 * 60, 2):
        battery = max(0.0, 100 - minute / 9.6)
        yield reading(minute * 60, battery, low_power=battery < 15)


def video_call_in_the_sun():
    for step in range(0, 180):
        rise = 0.35 + 0.9 * (1 - math.exp(-step / 45)) if step < 110 else (
            0.35 + 0.82 * math.exp(-(step - 110) / 30))
        yield reading(step * 10, 80.0 - step / 12, heat=status(rise), headroom=rise)


def sensor_missing():
    # Before Android 10 there is no thermal level.
    for minute in range(30):
        yield reading(minute * 60, 90.0 - minute / 10, heat=None)


def headroom_nan():
    for step in range(60):
        value = 0.9 if step < 20 else math.nan if step < 40 else 0.6
        yield reading(step * 10, 70.0, heat="light" if step < 30 else "none", headroom=value)


def clock_jumps_back():
    for step in range(40):
        at = 10_000 + step * 10 if step < 15 else 2_000 + step * 10
        yield reading(at, 60.0, heat="severe" if step < 12 else "none")


def battery_unknown():
    # iOS without battery monitoring.
    for minute in range(20):
        yield reading(minute * 60, -1, charging=None)


def charging_flaps():
    # A loose plug.
    for step in range(120):
        yield reading(step * 5, 15.0, charging=step % 3 == 0 if step < 80 else True)


def low_power_toggled():
    for step in range(60):
        yield reading(step * 10, 75.0, low_power=6 <= step < 24 or 30 <= step < 33)


def ios_four_levels():
    for step in range(90):
        level = ["none", "light", "moderate", "severe", "moderate", "light", "none", "none", "none"]
        yield reading(step * 20, 65.0, heat=level[step // 10])


def storm_100_hz():
    for step in range(400):
        value = math.nan if step % 100 else 0.5 + step / 800
        yield reading(step / 100, 45.0, heat="none" if step % 2 else "light", headroom=value)


def day_asleep():
    for minute in range(10):
        yield reading(minute * 60, 55.0, heat="moderate")
    for minute in range(10):
        yield reading(9 * 3600 + minute * 60, 41.0)


def reboot():
    for minute in range(10):
        yield reading(500_000 + minute * 60, 18.0, heat="moderate" if minute < 8 else "none")
    yield restart(12)
    for minute in range(10):
        yield reading(15 + minute * 60, 18.0)


def user_modes():
    for minute in range(12):
        if minute in (3, 6, 9):
            yield mode(minute * 60 - 1, {3: "saver", 6: "precise", 9: "balanced"}[minute])
        yield reading(minute * 60, 90.0 if minute < 7 else 5.0)


def out_of_range():
    for step, (battery, headroom) in enumerate(
        [(250, -0.5), (101.0, 9.5), (0.0, 0.0), (-7.5, 2.5), (50.0, math.nan), (100.0, 0.8)] * 4
    ):
        yield reading(step * 15, battery, headroom=headroom)


SCENARIOS = [
    (morning_to_empty, "a day from full to empty without a charger"),
    (video_call_in_the_sun, "thermal headroom climbs past 1 in half an hour, then the call ends"),
    (sensor_missing, "a system without thermal level"),
    (headroom_nan, "thermal headroom, then only NaN, then headroom again"),
    (clock_jumps_back, "the clock jumps back while the phone cools"),
    (battery_unknown, "a battery of -1, and nothing about charging"),
    (charging_flaps, "a loose plug, then a firm one"),
    (low_power_toggled, "low-power mode on, off, briefly on, off"),
    (ios_four_levels, "the four thermal states of iOS up and down"),
    (storm_100_hz, "a hundred readings a second, with NaN for most headrooms"),
    (day_asleep, "warm at night, then nothing for nine hours"),
    (reboot, "low and warm, then a reboot: the clock begins anew"),
    (user_modes, "the user chooses saver, precise and balanced as the battery goes"),
    (out_of_range, "values that cannot be"),
]

for scenario, description in SCENARIOS:
    header = {"format_version": 1, "name": scenario.__name__, "description": description}
    lines = [json.dumps(line, separators=(",", ":")) for line in [header, *scenario()]]
    (HERE / f"{scenario.__name__}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
