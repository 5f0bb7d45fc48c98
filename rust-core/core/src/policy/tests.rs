use super::*;
use crate::device::ThermalLevel;
use proptest::prelude::*;

fn certificate(eps: f64, threshold: f32) -> CertifiedThreshold {
    CertifiedThreshold { eps, threshold: Threshold::new(threshold).unwrap() }
}

fn options() -> PolicyOptions {
    let certificates = [(0.001, 0.95), (0.005, 0.8), (0.01, 0.6), (0.05, 0.2)];
    PolicyOptions::new(certificates.map(|(eps, t)| certificate(eps, t)).to_vec(), 0.01).unwrap()
}

fn policy() -> Policy {
    Policy::new(options()).unwrap()
}

/// A complete reading of a cool phone that is not charging.
fn reading(at_s: u64, battery: f32, heat: ThermalLevel) -> DeviceReading {
    DeviceReading {
        at_ms: at_s * 1000,
        battery_percent: Some(battery),
        charging: Some(false),
        low_power_mode: Some(false),
        thermal_level: Some(heat),
        thermal_headroom: None,
    }
}

fn level(policy: &Policy) -> (u8, LevelCause) {
    let demand = policy.demand(None);
    (demand.level, demand.level_cause)
}

use ThermalLevel::{Light, Moderate, None as Cool, Severe};

#[test]
fn limits_of_the_battery() {
    for (percent, expected) in
        [(100.0, 0), (50.1, 0), (50.0, 1), (20.0, 1), (19.9, 2), (8.0, 2), (7.9, 3), (0.0, 3)]
    {
        let mut policy = policy();
        // The safe mode of the start is held for a minute.
        policy.observe(&reading(0, 100.0, Cool));
        policy.observe(&reading(60, 100.0, Cool));
        policy.observe(&reading(61, percent, Cool));
        assert_eq!(level(&policy).0, expected, "{percent}");
    }
}

#[test]
fn tightens_at_once_and_relaxes_a_level_a_minute() {
    let mut policy = policy();
    policy.observe(&reading(0, 90.0, Severe));
    assert_eq!(level(&policy), (3, LevelCause::Thermal));
    let mut levels = vec![];
    for at_s in (10..=200).step_by(10) {
        policy.observe(&reading(at_s, 90.0, Cool));
        levels.push(level(&policy).0);
    }
    // Cool from second 10 on: relaxed at 70, 130 and 190.
    assert_eq!(levels, [3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 0, 0]);
}

#[test]
fn a_battery_has_to_be_clear_of_the_limit() {
    let mut policy = policy();
    for at_s in (0..600).step_by(30) {
        policy.observe(&reading(at_s, if at_s == 0 { 19.0 } else { 25.0 }, Cool));
    }
    assert_eq!(level(&policy).0, 1, "25 is 5 clear of 20: level 2 is over");
    for at_s in (600..1200).step_by(30) {
        policy.observe(&reading(at_s, 54.9, Cool));
    }
    assert_eq!(level(&policy), (1, LevelCause::Held));
    for at_s in (1200..1300).step_by(30) {
        policy.observe(&reading(at_s, 55.1, Cool));
    }
    assert_eq!(level(&policy).0, 0);
}

#[test]
fn unknown_and_stale_values_are_the_safe_mode() {
    let mut policy = policy();
    assert_eq!(level(&policy), (1, LevelCause::Unknown));
    for at_s in (0..300).step_by(30) {
        policy.observe(&reading(at_s, 90.0, Cool));
    }
    assert_eq!(level(&policy), (0, LevelCause::AllWell));
    policy.advance_to(390_000);
    assert_eq!(level(&policy).0, 0, "two minutes are not over");
    policy.advance_to(391_001);
    assert_eq!(level(&policy), (1, LevelCause::Unknown));
    policy.observe(&reading(392, 90.0, Moderate));
    policy.advance_to(9_999_000);
    assert_eq!(level(&policy), (2, LevelCause::Thermal), "what was hot is not forgotten");
}

#[test]
fn no_battery_and_no_headroom_are_faults_not_values() {
    let mut policy = policy();
    for at_s in (0..120).step_by(10) {
        let bad = DeviceReading {
            battery_percent: Some(-1.0),
            thermal_headroom: Some(f32::NAN),
            ..reading(at_s, 0.0, Cool)
        };
        policy.observe(&bad);
    }
    assert_eq!(level(&policy), (1, LevelCause::Unknown));
    assert_eq!(policy.faults(), ReadingFaults { ignored: 24, clamped: 0, backwards: 0 });
    policy.observe(&reading(120, 250.0, Cool));
    assert_eq!(policy.faults().clamped, 1);
}

#[test]
fn a_clock_that_jumps_back_relaxes_nothing() {
    let mut policy = policy();
    policy.observe(&reading(1_000_000, 90.0, Severe));
    policy.observe(&reading(1_000_010, 90.0, Cool));
    for at_s in (0..1000).rev() {
        policy.observe(&reading(at_s * 100, 90.0, Cool));
        assert_eq!(level(&policy).0, 3);
    }
    assert_eq!(policy.faults().backwards, 1000);
    // From then on time passes again.
    for at_s in 0..=60 {
        policy.observe(&reading(at_s, 90.0, Cool));
    }
    assert_eq!(level(&policy).0, 2);
}

#[test]
fn a_clock_that_jumps_back_and_forward_again_relaxes_nothing_early() {
    let mut policy = policy();
    policy.observe(&reading(1000, 90.0, Severe));
    policy.observe(&reading(1010, 90.0, Cool));
    let mut levels = vec![];
    // Two minutes back, part of them forward, and all of them: 30 real seconds.
    for at_s in [900, 995, 1040] {
        policy.observe(&reading(at_s, 90.0, Cool));
        levels.push(level(&policy).0);
    }
    assert_eq!(levels, [3, 3, 3]);
    // The hold is counted from the last jump on, by a clock that is good again.
    for (at_s, expected) in [(1050, 3), (1099, 3), (1100, 2), (1159, 2), (1160, 1)] {
        policy.observe(&reading(at_s, 90.0, Cool));
        assert_eq!(level(&policy).0, expected, "{at_s}");
    }
}

#[test]
fn modes() {
    let mut policy = policy();
    for at_s in (0..=60).step_by(30) {
        policy.observe(&reading(at_s, 90.0, Cool));
    }
    let demand = |policy: &Policy| policy.demand(None);
    assert_eq!(demand(&policy).wanted.value(), 0.95);
    policy.set_mode(UserMode::Saver);
    assert_eq!((demand(&policy).level, demand(&policy).wanted.value()), (2, 0.8));
    policy.set_mode(UserMode::Precise);
    policy.observe(&reading(70, 5.0, Severe));
    let effective = demand(&policy).threshold(Threshold::NEVER_ESCALATE);
    assert_eq!(effective.threshold.value(), 0.95);
    assert_eq!(effective.reason, ThresholdReason::PreciseMode);
}

#[test]
fn an_alarm_raises_the_floor_until_a_fresh_certificate() {
    let mut policy = policy();
    let floor = |policy: &Policy| {
        let demand = policy.demand(None);
        (demand.floor.value(), demand.floor_cause)
    };
    assert_eq!(floor(&policy), (0.6, FloorCause::Promise));
    policy.raise_floor();
    assert_eq!(floor(&policy), (0.8, FloorCause::AccuracyAlarm));
    policy.set_fresh_floor(Threshold::new(0.7).unwrap());
    assert_eq!(floor(&policy).0, 0.7);
    policy.set_fresh_floor(Threshold::new(0.1).unwrap());
    assert_eq!(floor(&policy).0, 0.6, "never below the bundle's own");
    policy.raise_floor();
    assert_eq!(floor(&policy).0, 0.95);
    for _ in 0..9 {
        policy.raise_floor();
    }
    assert_eq!(floor(&policy).0, f32::INFINITY);
    assert_eq!(policy.raised_by(), 4);
}

#[test]
fn state_comes_back_and_a_damaged_one_is_refused() {
    let mut before = policy();
    before.set_mode(UserMode::Saver);
    before.observe(&reading(100, 10.0, Light));
    before.raise_floor();
    let json = serde_json::to_string(before.state()).unwrap();
    let mut after = policy();
    after.restore(serde_json::from_str(&json).unwrap()).unwrap();
    let (old, new) = (before.demand(None), after.demand(None));
    assert_eq!((old.level, old.floor), (new.level, new.floor));
    assert_eq!(after.mode(), UserMode::Saver);
    // A reboot: the clock begins anew, and nothing is relaxed for it.
    after.observe(&reading(1, 90.0, Cool));
    assert_eq!(after.demand(None).level, 2);

    for (from, to) in [
        ("\"raised\":1", "\"raised\":9"),
        ("\"level\":2", "\"level\":4"),
        ("\"rate\":1.0", "\"rate\":-1.0"),
        ("\"value\":10.0", "\"value\":1e9"),
        ("\"looked_ms\":0", "\"looked_ms\":1000"),
    ] {
        let damaged = json.replace(from, to);
        assert_ne!(damaged, json, "{from}: {json}");
        let error = policy().restore(serde_json::from_str(&damaged).unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
    }
}

fn any_heat() -> impl Strategy<Value = Option<ThermalLevel>> {
    prop::option::of((0..7i32).prop_map(|code| ThermalLevel::from_android(code).unwrap()))
}

fn any_float() -> impl Strategy<Value = Option<f32>> {
    prop::option::of(prop_oneof![
        8 => -10.0f32..120.0,
        4 => 0.0f32..2.0,
        1 => any::<f32>(),
    ])
}

prop_compose! {
    fn any_reading()(
        at_ms in prop_oneof![8 => 0u64..1_000_000, 1 => any::<u64>()],
        battery_percent in any_float(),
        charging in any::<Option<bool>>(),
        low_power_mode in any::<Option<bool>>(),
        thermal_level in any_heat(),
        thermal_headroom in any_float(),
    ) -> DeviceReading {
        DeviceReading {
            at_ms, battery_percent, charging, low_power_mode, thermal_level, thermal_headroom
        }
    }
}

fn any_mode() -> impl Strategy<Value = UserMode> {
    prop_oneof![Just(UserMode::Saver), Just(UserMode::Balanced), Just(UserMode::Precise)]
}

#[derive(Debug, Clone)]
enum Event {
    Reading(DeviceReading),
    Time(u64),
    Mode(UserMode),
    Alarm,
    Fresh(f32),
    Restart,
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        10 => any_reading().prop_map(Event::Reading),
        3 => (0u64..1_000_000).prop_map(Event::Time),
        1 => any_mode().prop_map(Event::Mode),
        1 => Just(Event::Alarm),
        1 => (0.0f32..1.0).prop_map(Event::Fresh),
        1 => Just(Event::Restart),
    ]
}

fn apply(policy: &mut Policy, event: &Event) {
    match event {
        Event::Reading(reading) => {
            policy.observe(reading);
        }
        Event::Time(at_ms) => {
            policy.advance_to(*at_ms);
        }
        Event::Mode(mode) => policy.set_mode(*mode),
        Event::Alarm => policy.raise_floor(),
        Event::Fresh(threshold) => policy.set_fresh_floor(Threshold::new(*threshold).unwrap()),
        Event::Restart => {
            let state = *policy.state();
            policy.restore(state).unwrap();
        }
    }
}

/// Readings with the same times of two phones, the second never cooler or
/// fuller.
fn two_phones() -> impl Strategy<Value = Vec<(DeviceReading, DeviceReading)>> {
    let step = (
        0u64..40_000,
        prop::option::of((0.0f32..100.0, 0.0f32..50.0)),
        any::<Option<bool>>(),
        prop::option::of((any::<bool>(), any::<bool>())),
        prop::option::of((0..7i32, 0..7i32)),
    );
    prop::collection::vec(step, 1..60).prop_map(|steps| {
        let mut at_ms = 0;
        let pairs = steps.into_iter().map(|(after, battery, charging, saving, heat)| {
            at_ms += after;
            let android = |code: i32| ThermalLevel::from_android(code.min(6)).unwrap();
            let better = DeviceReading {
                at_ms,
                battery_percent: battery.map(|(percent, _)| percent),
                charging,
                low_power_mode: saving.map(|(on, _)| on),
                thermal_level: heat.map(|(code, _)| android(code)),
                thermal_headroom: None,
            };
            let worse = DeviceReading {
                battery_percent: battery.map(|(percent, less)| (percent - less).max(0.0)),
                low_power_mode: saving.map(|(on, too)| on || too),
                thermal_level: heat.map(|(code, more)| android(code + more)),
                ..better
            };
            (better, worse)
        });
        pairs.collect()
    })
}

proptest! {
    /// The invariant between policy and certificate.
    #[test]
    fn never_below_the_certified_floor(
        events in prop::collection::vec(any_event(), 0..60),
        controlled in prop_oneof![
            Just(f32::NEG_INFINITY), Just(f32::INFINITY), -1.0f32..1.0
        ],
        budget in prop::option::of(0.0f64..1.0),
    ) {
        let mut policy = policy();
        for event in &events {
            apply(&mut policy, event);
            let budget = budget.map(|share| Budget { kind: BudgetKind::BigShare(share), costs: None });
            let allowance = budget.and_then(|budget| policy.allowance(&budget, 10.0));
            let demand = policy.demand(allowance);
            let effective = demand.threshold(Threshold::new(controlled).unwrap());
            prop_assert!(effective.threshold >= effective.floor);
            prop_assert!(effective.floor.value() >= 0.6, "the bundle's own floor");
            prop_assert!((0.0..=1.0).contains(&demand.target_rate));
        }
    }

    /// Hotter or emptier, over whole histories, is never less saving.
    #[test]
    fn hotter_or_emptier_never_asks_for_more(pairs in two_phones(), mode in any_mode()) {
        let (mut better, mut worse) = (policy(), policy());
        better.set_mode(mode);
        worse.set_mode(mode);
        for (a, b) in &pairs {
            better.observe(a);
            worse.observe(b);
            let (a, b) = (better.demand(None), worse.demand(None));
            prop_assert!(b.level >= a.level);
            prop_assert!(b.target_rate <= a.target_rate);
            prop_assert!(b.wanted <= a.wanted);
            prop_assert!(b.frame_rate_factor <= a.frame_rate_factor);
            let controlled = Threshold::new(0.7).unwrap();
            prop_assert!(b.threshold(controlled).threshold <= a.threshold(controlled).threshold);
        }
    }

    /// Nothing depends on anything but what was handed in.
    #[test]
    fn the_same_events_give_the_same_demand(events in prop::collection::vec(any_event(), 0..60)) {
        let (mut first, mut second) = (policy(), policy());
        for event in &events {
            apply(&mut first, event);
            apply(&mut second, event);
            prop_assert_eq!(first.demand(None), second.demand(None));
        }
    }
}
