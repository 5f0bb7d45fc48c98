//! Axes: their range, their ticks and how ticks are written.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::coord::types::RangedCoordf64;

/// One axis of a chart.
pub struct Axis {
    pub label: String,
    /// In the unit of the picture: for a logarithmic axis, powers of ten.
    pub range: [f64; 2],
    pub ticks: Vec<f64>,
    pub is_log: bool,
    /// How a value (not its logarithm) is written.
    pub format: Box<dyn Fn(f64) -> String>,
}

impl Axis {
    /// An axis with evenly spread round ticks.
    pub fn linear(label: &str, range: [f64; 2], format: impl Fn(f64) -> String + 'static) -> Self {
        let ticks = ticks(range);
        Axis { label: label.into(), range, ticks, is_log: false, format: Box::new(format) }
    }

    /// A logarithmic axis over values above 0, with ticks at 1, 2 and 5 times
    /// powers of ten as far as there is room.
    pub fn log(label: &str, range: [f64; 2], format: impl Fn(f64) -> String + 'static) -> Self {
        let range = range.map(f64::log10);
        let decades = range[0].floor() as i32..=range[1].ceil() as i32;
        let steps: &[f64] = match range[1] - range[0] {
            wide if wide > 2.5 => &[1.0],
            wide if wide > 1.4 => &[1.0, 3.0],
            _ => &[1.0, 2.0, 5.0],
        };
        let ticks = decades
            .flat_map(|decade| steps.iter().map(move |step| step.log10() + f64::from(decade)))
            .filter(|tick| (range[0]..=range[1]).contains(tick))
            .collect();
        Axis { label: label.into(), range, ticks, is_log: true, format: Box::new(format) }
    }

    pub fn place(&self, value: f64) -> f64 {
        if self.is_log { value.log10() } else { value }
    }

    pub fn text(&self, place: f64) -> String {
        (self.format)(if self.is_log { 10f64.powf(place) } else { place })
    }
}

/// An axis of shares, written as percentages with as many decimals as tell its
/// ticks apart.
pub fn percent_axis(label: &str, range: [f64; 2]) -> Axis {
    let ticks = ticks(range);
    let gap = ticks.windows(2).map(|pair| pair[1] - pair[0]).fold(1.0, f64::min) * 100.0;
    let decimals = (-(gap + 1e-12).log10().floor()).clamp(0.0, 4.0) as usize;
    Axis::linear(label, range, move |share| format!("{:.decimals$} %", share * 100.0))
}

/// An axis of hours since the beginning, over `seconds`, with at most `most` ticks
/// at round times; none so near the end that its text would leave the chart.
pub fn time_axis(seconds: f64, most: f64) -> Axis {
    const STEPS: [f64; 15] = [
        1.0, 5.0, 15.0, 30.0, 60.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0,
        21_600.0, 43_200.0, 86_400.0,
    ];
    let step = STEPS
        .into_iter()
        .find(|step| seconds / step <= most)
        .unwrap_or_else(|| (seconds / most / 86_400.0).ceil() * 86_400.0);
    let ticks = (0u32..).map(|tick| f64::from(tick) * step);
    let text = move |place: f64| {
        let at = (place * 3_600.0).round();
        match step {
            step if step < 60.0 => format!("{at} s"),
            step if step < 3_600.0 && seconds <= 3_600.0 => format!("{} min", at / 60.0),
            step if step < 3_600.0 => {
                format!("{}:{:02} h", (at / 3_600.0).floor(), at % 3_600.0 / 60.0)
            }
            step if step < 86_400.0 => format!("{} h", at / 3_600.0),
            _ => format!("day {}", at / 86_400.0),
        }
    };
    Axis {
        label: String::new(),
        range: [0.0, seconds / 3_600.0],
        ticks: ticks
            .take_while(|at| *at < seconds * (1.0 - 0.25 / most))
            .map(|at| at / 3_600.0)
            .collect(),
        is_log: false,
        format: Box::new(text),
    }
}

/// A range whose ticks are given.
pub struct Ticked {
    pub range: [f64; 2],
    pub ticks: Vec<f64>,
}

impl Ranged for Ticked {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        RangedCoordf64::from(self.range()).map(value, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.range[0]..self.range[1]
    }
}

fn ticks([low, high]: [f64; 2]) -> Vec<f64> {
    RangedCoordf64::from(low..high).key_points(6)
}

/// From the smallest to the largest value, with some room, within `limits`.
pub fn around(values: impl Iterator<Item = f64>, limits: [f64; 2]) -> [f64; 2] {
    let finite = values.filter(|value| value.is_finite());
    let [low, high] = finite.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], value| {
        [low.min(value), high.max(value)]
    });
    if low > high {
        return limits;
    }
    let room = ((high - low) * 0.08).max(1e-4 * (limits[1] - limits[0]));
    [(low - room).max(limits[0]), (high + room).min(limits[1])]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_told_apart() {
        for range in [[0.0, 1.0], [0.995, 0.998], [0.2, 0.21], [0.0, 0.00003]] {
            let axis = percent_axis("x", range);
            let texts: Vec<_> = axis.ticks.iter().map(|tick| axis.text(*tick)).collect();
            assert!((2..=8).contains(&texts.len()), "{texts:?}");
            assert!(texts.windows(2).all(|pair| pair[0] != pair[1]), "{texts:?}");
        }
        let log = Axis::log("x", [0.004, 1.0], |value| format!("{value}"));
        assert_eq!(log.ticks.len(), 5, "{:?}", log.ticks);
    }

    #[test]
    fn times_are_round_whatever_the_span() {
        for (seconds, first, last) in [
            (4.0, "0 s", "3 s"),
            (1_800.0, "0 min", "25 min"),
            (7_200.0, "0:00 h", "1:45 h"),
            (57_600.0, "0 h", "14 h"),
            (604_800.0, "day 0", "day 6"),
            (1e9, "day 0", "day 10129"),
        ] {
            let axis = time_axis(seconds, 8.0);
            let texts: Vec<_> = axis.ticks.iter().map(|tick| axis.text(*tick)).collect();
            assert!((3..=9).contains(&texts.len()), "{texts:?}");
            assert_eq!((&*texts[0], &*texts[texts.len() - 1]), (first, last), "{texts:?}");
            assert!(time_axis(seconds, 4.0).ticks.len() <= 5);
        }
    }

    #[test]
    fn ranges_have_room_and_never_are_empty() {
        assert_eq!(around([].into_iter(), [0.0, 1.0]), [0.0, 1.0]);
        let [low, high] = around([0.5, 0.5, f64::NAN].into_iter(), [0.0, 1.0]);
        assert!(low < 0.5 && high > 0.5);
        assert_eq!(around([0.0, 1.0].into_iter(), [0.0, 1.0]), [0.0, 1.0]);
        let [low, high] = around([1.0].into_iter(), [0.0, 1.0]);
        assert!(low < high);
    }
}
