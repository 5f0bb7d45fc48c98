//! A day as it is drawn and counted: moments of equal length, and their sums.

use biglittle::device::ThermalLevel;
use biglittle::policy::LEVELS;

use super::app::Came;

/// The least length of a moment, in seconds.
const SHORTEST_S: f64 = 1.0;

/// A clock that jumps all day must not fill the memory.
const MOST_HAPPENINGS: usize = 500;

/// What is known of the phone.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Seen {
    pub battery_percent: Option<f64>,
    pub charging: bool,
    pub thermal_level: Option<ThermalLevel>,
    pub thermal_headroom: Option<f64>,
    /// In the closed loop only.
    pub celsius: Option<f64>,
}

/// Sums of frames.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sums {
    pub frames: u64,
    /// Frames of which little was unsure.
    pub escalated: u64,
    /// Frames with an answer, and those of them that are right.
    pub answered: u64,
    pub right: u64,
    /// Answers of little that are a loss.
    pub bad: u64,
    /// Processor time, and the part of it that little took.
    pub cpu_ns: u64,
    pub little_ns: u64,
    pub macs: u64,
    /// What big alone takes on the same frames, where they have an answer.
    pub alone_ns: u64,
    pub alone_macs: u64,
}

impl Sums {
    pub fn add(&mut self, other: &Sums) {
        self.frames += other.frames;
        self.escalated += other.escalated;
        self.answered += other.answered;
        self.right += other.right;
        self.bad += other.bad;
        self.cpu_ns = self.cpu_ns.saturating_add(other.cpu_ns);
        self.little_ns = self.little_ns.saturating_add(other.little_ns);
        self.macs = self.macs.saturating_add(other.macs);
        self.alone_ns = self.alone_ns.saturating_add(other.alone_ns);
        self.alone_macs = self.alone_macs.saturating_add(other.alone_macs);
    }

    pub fn of(came: &Came, alone: (u64, u64)) -> Self {
        let is_answered = came.right.is_some();
        let (alone_ns, alone_macs) = if is_answered { alone } else { (0, 0) };
        Sums {
            frames: 1,
            escalated: u64::from(came.escalated),
            answered: u64::from(is_answered),
            right: u64::from(came.right == Some(true)),
            bad: u64::from(came.bad),
            cpu_ns: came.cpu_ns,
            little_ns: came.little_ns,
            macs: came.macs,
            alone_ns,
            alone_macs,
        }
    }

    /// A share of frames, or of answers.
    pub fn share(count: u64, all: u64) -> Option<f64> {
        (all > 0).then(|| count as f64 / all as f64)
    }

    /// Processor time saved against big alone.
    pub fn cpu_saved(&self) -> Option<f64> {
        (self.alone_ns > 0).then(|| 1.0 - self.cpu_ns as f64 / self.alone_ns as f64)
    }

    /// Energy saved against big alone, where little and big take `milliwatts`.
    pub fn energy_saved(&self, [little, big]: [f64; 2]) -> Option<f64> {
        let rest_ns = self.cpu_ns.saturating_sub(self.little_ns) as f64;
        let alone = self.alone_ns as f64 * big;
        (alone > 0.0).then(|| 1.0 - (self.little_ns as f64 * little + rest_ns * big) / alone)
    }

    /// The ratio of multiply-accumulates to those of big alone.
    pub fn mac_ratio(&self) -> Option<f64> {
        (self.alone_macs > 0).then(|| self.macs as f64 / self.alone_macs as f64)
    }
}

/// Some seconds of a day.
#[derive(Debug, Clone, Copy, Default)]
pub struct Moment {
    pub seen: Option<Seen>,
    /// The level of saving: the highest.
    pub level: u8,
    /// The sum of thresholds of frames, each held within the range of scores.
    thresholds: f64,
    floors: f64,
    pub sums: Sums,
}

impl Moment {
    pub fn threshold(&self) -> Option<f64> {
        (self.sums.frames > 0).then(|| self.thresholds / self.sums.frames as f64)
    }

    pub fn floor(&self) -> Option<f64> {
        (self.sums.frames > 0).then(|| self.floors / self.sums.frames as f64)
    }

    fn merge(&mut self, later: &Moment) {
        if let Some(later) = later.seen {
            let before = self.seen.unwrap_or_default();
            // What was hottest is what counts.
            self.seen = Some(Seen {
                thermal_level: before.thermal_level.max(later.thermal_level),
                thermal_headroom: match (before.thermal_headroom, later.thermal_headroom) {
                    (Some(a), Some(b)) => Some(a.max(b)),
                    (a, b) => b.or(a),
                },
                ..later
            });
        }
        self.level = self.level.max(later.level);
        self.thresholds += later.thresholds;
        self.floors += later.floors;
        self.sums.add(&later.sums);
    }
}

/// Something worth a line in the list of what happened.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Happening {
    /// Since the day began.
    pub seconds: f64,
    pub what: String,
}

/// A day.
#[derive(Debug, Clone, Default)]
pub struct Day {
    /// The length of a moment, in seconds.
    pub moment_s: f64,
    pub moments: Vec<Moment>,
    /// How long the day was, in seconds.
    pub span_s: f64,
    pub sums: Sums,
    /// Seconds at each level of saving in which the app ran.
    pub seconds_at_level: [f64; LEVELS],
    /// The lowest and the highest threshold of any frame; infinite for always
    /// and never.
    pub thresholds: Option<[f32; 2]>,
    pub floors: Option<[f32; 2]>,
    pub happenings: Vec<Happening>,
}

impl Day {
    /// A day of about `seconds`, in at most `most` moments.
    pub fn new(seconds: f64, most: usize) -> Self {
        Day { moment_s: (seconds / most as f64).max(SHORTEST_S), ..Day::default() }
    }

    fn moment(&mut self, elapsed_s: f64) -> &mut Moment {
        let index = (elapsed_s / self.moment_s) as usize;
        if self.moments.len() <= index {
            self.moments.resize_with(index + 1, Moment::default);
        }
        &mut self.moments[index]
    }

    /// What the phone says from `elapsed_s` on.
    pub fn see(&mut self, elapsed_s: f64, seen: Seen) {
        let moment = self.moment(elapsed_s);
        let one = Moment { seen: Some(seen), ..Moment::default() };
        moment.merge(&one);
    }

    /// A frame at `elapsed_s`, with the level in force; `range` is that of
    /// scores.
    pub fn frame(
        &mut self,
        elapsed_s: f64,
        level: u8,
        range: (f32, f32),
        came: &Came,
        sums: &Sums,
    ) {
        let threshold = came.plan.effective.threshold.value();
        let floor = came.plan.effective.floor.value();
        widen(&mut self.thresholds, threshold);
        widen(&mut self.floors, floor);
        self.count(elapsed_s, sums);
        let moment = self.moment(elapsed_s);
        moment.level = moment.level.max(level);
        moment.thresholds += f64::from(threshold.clamp(range.0, range.1));
        moment.floors += f64::from(floor.clamp(range.0, range.1));
    }

    /// A frame of a policy without a threshold that moves.
    pub fn count(&mut self, elapsed_s: f64, sums: &Sums) {
        self.sums.add(sums);
        self.moment(elapsed_s).sums.add(sums);
    }

    pub fn happened(&mut self, elapsed_s: f64, what: impl Into<String>) {
        if self.happenings.len() < MOST_HAPPENINGS {
            self.happenings.push(Happening { seconds: elapsed_s, what: what.into() });
        }
    }

    /// The same in at most `most` moments.
    pub fn coarser(&self, most: usize) -> (f64, Vec<Moment>) {
        let together = self.moments.len().div_ceil(most.max(1)).max(1);
        let merge = |moments: &[Moment]| {
            let mut sum = moments[0];
            moments[1..].iter().for_each(|moment| sum.merge(moment));
            sum
        };
        (self.moment_s * together as f64, self.moments.chunks(together).map(merge).collect())
    }
}

fn widen(ends: &mut Option<[f32; 2]>, value: f32) {
    let [low, high] = ends.unwrap_or([value; 2]);
    *ends = Some([low.min(value), high.max(value)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coarser_days_have_the_same_sums() {
        let mut day = Day::new(1_000.0, 100);
        for second in 0..1_000u32 {
            let moment = day.moment(f64::from(second));
            moment.sums.frames += 2;
            moment.level = moment.level.max((second / 400) as u8);
            let heat = f64::from(second % 7);
            day.see(f64::from(second), Seen { thermal_headroom: Some(heat), ..Seen::default() });
        }
        let (length, moments) = day.coarser(30);
        assert_eq!((length, moments.len()), (40.0, 25));
        assert_eq!(moments.iter().map(|moment| moment.sums.frames).sum::<u64>(), 2_000);
        assert_eq!(moments[10].level, 1);
        assert_eq!(moments[3].seen.unwrap().thermal_headroom, Some(6.0), "the hottest");
        assert_eq!(day.coarser(1).1.len(), 1);
    }
}
