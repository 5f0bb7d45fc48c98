//! What was spent on what, and what that saved.

use std::ops::Add;

use serde::{Deserialize, Serialize};

use crate::clock::Times;
use crate::error::{Error, ErrorKind, Result};
use crate::outcome::LevelReport;

/// How a frame was answered, or why it was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answered {
    /// By the first level.
    Little,
    /// By a later level, or by the first because the later ones failed.
    Big,
    /// With the answer of an earlier frame.
    Reused,
    /// By the first level although it was unsure, for want of time: outside the
    /// certificate.
    Degraded,
    /// Not at all, for want of time or because the app cancelled it.
    Dropped,
    /// Not at all: no level had a usable answer.
    Failed,
}

/// Frames by how they were answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrameCounts {
    /// All frames: the sum of the six below.
    pub seen: u64,
    /// Answered by the first level.
    pub little: u64,
    /// Answered by a later level, or as a fallback for it.
    pub big: u64,
    /// Answered with the answer of an earlier frame.
    pub reused: u64,
    /// Answered by the unsure first level for want of time.
    pub degraded: u64,
    /// Dropped for want of time, or cancelled.
    pub dropped: u64,
    /// Without any usable answer.
    pub failed: u64,
    /// Audited as well.
    pub audited: u64,
    /// Of those answered by the first level: not sure enough for the certified
    /// floor.
    pub below_certificate: u64,
}

impl FrameCounts {
    /// Frames that got an answer: those that the big network alone would have
    /// run on.
    pub(super) fn answered(&self) -> u64 {
        self.seen.saturating_sub(self.dropped).saturating_sub(self.failed)
    }
}

/// Time and multiply-accumulates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spent {
    /// On both clocks.
    pub times: Times,
    /// The multiply-accumulates of networks.
    pub macs: u64,
}

impl Add for Spent {
    type Output = Spent;

    fn add(self, other: Spent) -> Spent {
        let macs = self.macs.saturating_add(other.macs);
        Spent { times: self.times + other.times, macs }
    }
}

impl Spent {
    /// What levels took together.
    #[must_use]
    pub fn on(levels: &[LevelReport]) -> Spent {
        levels.iter().fold(Spent::default(), |sum, level| {
            sum + Spent { times: level.times, macs: level.macs }
        })
    }
}

/// The books of a session, or of many.
///
/// `little + big + overhead = total` holds for both clocks and for
/// multiply-accumulates, to the last unit.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accounting {
    /// Frames by how they were answered.
    pub frames: FrameCounts,
    /// The first level, with preprocessing and success checker.
    pub little: Spent,
    /// The later levels, where they ran for an answer.
    pub big: Spent,
    /// All else: audits, comparing frames, policy and accounting itself.
    pub overhead: Spent,
    /// From the frame's arrival to its answer: `little + big + overhead`.
    pub total: Spent,
    /// The part of `overhead` that audits took.
    pub audits: Spent,
    /// The processor time of the big network on frames that needed it.
    big_known_ns: u64,
    /// Frames on which it is known.
    big_known: u64,
    /// Its processor time on audited frames that did not need it.
    sampled: Moments,
}

/// Count, mean and sum of squared deviations (Welford 1962).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Moments {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.count += 1;
        let off = value - self.mean;
        self.mean += off / self.count as f64;
        self.squares += off * (value - self.mean);
    }

    /// Chan, Golub and LeVeque 1979.
    fn merge(&mut self, other: Moments) {
        let count = self.count.saturating_add(other.count);
        if other.count == 0 {
            return;
        }
        let (n, off) = (count as f64, other.mean - self.mean);
        self.squares += other.squares + off * off * (self.count as f64) * (other.count as f64) / n;
        self.mean += off * other.count as f64 / n;
        self.count = count;
    }
}

/// Processor time saved against the big network alone on the same frames.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Saving {
    /// `1 - total / big alone`; negative where it cost more. Frames that were
    /// dropped or failed are left out of "big alone".
    pub share: f64,
    /// The 95 % interval of that: the big network's time on frames that it did
    /// not see is estimated from audits (normal approximation). Missing with
    /// fewer than two audits; then the frames that it did see stand for all.
    pub ci95: Option<[f64; 2]>,
}

impl Accounting {
    /// Books a frame: how it was answered, the levels that ran for the answer
    /// and those that ran for an audit, the time from its arrival to now, and
    /// what the big network alone took on it, where that is known.
    ///
    /// A clock that went backwards in between makes `total` what its parts took.
    pub fn record(
        &mut self,
        answered: Answered,
        levels: &[LevelReport],
        audit: &[LevelReport],
        total: Times,
        big_alone: Option<Times>,
    ) {
        let FrameCounts { seen, little, big, reused, degraded, dropped, failed, audited, .. } =
            &mut self.frames;
        let count = match answered {
            Answered::Little => little,
            Answered::Big => big,
            Answered::Reused => reused,
            Answered::Degraded => degraded,
            Answered::Dropped => dropped,
            Answered::Failed => failed,
        };
        *count = count.saturating_add(1);
        *seen = seen.saturating_add(1);
        *audited = audited.saturating_add(u64::from(!audit.is_empty()));

        let first = levels.iter().take_while(|level| level.tier == 0).count();
        let (little, big) = (Spent::on(&levels[..first]), Spent::on(&levels[first..]));
        let audits = Spent::on(audit);
        let networks = little + big;
        let rest = Spent { times: total - networks.times, macs: audits.macs };
        self.little = self.little + little;
        self.big = self.big + big;
        self.audits = self.audits + audits;
        self.overhead = self.overhead + rest;
        self.total = self.total + networks + rest;

        match big_alone {
            Some(times) if audit.is_empty() => {
                self.big_known_ns = self.big_known_ns.saturating_add(times.cpu_ns);
                self.big_known = self.big_known.saturating_add(1);
            }
            Some(times) => self.sampled.add(times.cpu_ns as f64),
            None => {}
        }
    }

    /// Counts an answer that the certified floor would not have accepted.
    pub fn count_below_certificate(&mut self) {
        self.frames.below_certificate = self.frames.below_certificate.saturating_add(1);
    }

    /// Processor time saved against the big network alone on the same frames.
    /// Nothing before it was seen to run.
    #[must_use]
    pub fn saving(&self) -> Option<Saving> {
        let unseen = self.frames.answered().saturating_sub(self.big_known) as f64;
        let Moments { count, mean, squares } = self.sampled;
        let known = self.big_known_ns as f64;
        let (mean, half) = match (count, self.big_known) {
            (0, 0) => return None,
            (0 | 1, seen) if seen > 0 => (known / seen as f64, None),
            (0 | 1, _) => (mean, None),
            (n, _) => {
                let n = n as f64;
                (mean, Some(1.96 * unseen * libm::sqrt(squares / (n - 1.0) / n)))
            }
        };
        let alone = known + unseen * mean;
        let spent = self.total.times.cpu_ns as f64;
        let share = |alone: f64| 1.0 - spent / alone;
        // An interval that reaches 0 has no lower end for the share.
        let ci95 = half.filter(|half| alone > *half);
        Some(Saving {
            share: share(alone),
            ci95: ci95.map(|half| [share(alone - half), share(alone + half)]),
        })
    }

    /// Adds the books of another session or phone.
    pub fn merge(&mut self, other: &Accounting) {
        let (a, b) = (&mut self.frames, &other.frames);
        for (count, more) in [
            (&mut a.seen, b.seen),
            (&mut a.little, b.little),
            (&mut a.big, b.big),
            (&mut a.reused, b.reused),
            (&mut a.degraded, b.degraded),
            (&mut a.dropped, b.dropped),
            (&mut a.failed, b.failed),
            (&mut a.audited, b.audited),
            (&mut a.below_certificate, b.below_certificate),
            (&mut self.big_known, other.big_known),
            (&mut self.big_known_ns, other.big_known_ns),
        ] {
            *count = count.saturating_add(more);
        }
        self.little = self.little + other.little;
        self.big = self.big + other.big;
        self.overhead = self.overhead + other.overhead;
        self.total = self.total + other.total;
        self.audits = self.audits + other.audits;
        self.sampled.merge(other.sampled);
    }

    /// Checks books that were saved.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidData`] when parts and totals differ.
    pub fn validate(&self) -> Result<()> {
        let FrameCounts { seen, little, big, reused, degraded, dropped, failed, .. } = self.frames;
        let parts = [little, big, reused, degraded, dropped, failed];
        let frames = parts.into_iter().fold(0u64, u64::saturating_add);
        let spent = self.little + self.big + self.overhead;
        let Moments { mean, squares, .. } = self.sampled;
        let sampled_is_good = mean.is_finite() && mean >= 0.0 && squares >= 0.0;
        if frames != seen || spent != self.total || !sampled_is_good {
            return Err(Error::new(
                ErrorKind::InvalidData,
                "the saved accounts do not add up: little, big and overhead are not the total",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    fn report(tier: u8, ns: u64, macs: u64) -> LevelReport {
        let times = Times { wall_ns: ns * 2, cpu_ns: ns };
        LevelReport { tier, label: Some(1), score: 0.5, escalation: None, times, macs }
    }

    fn times(ns: u64) -> Times {
        Times { wall_ns: ns * 2, cpu_ns: ns }
    }

    /// Ten frames: nine by the little one in 10, one by the big in 100; one of
    /// the nine audited at 120; 1 of overhead each.
    pub(in crate::monitor) fn session() -> Accounting {
        let mut books = Accounting::default();
        let (little, big) = (report(0, 10, 1), report(1, 100, 50));
        for frame in 0..9 {
            let audit = [report(1, 120, 50)];
            let audit: &[_] = if frame < 2 { &audit } else { &[] };
            let alone = audit.first().map(|audit| audit.times);
            let total = times(11 + alone.map_or(0, |alone| alone.cpu_ns));
            books.record(Answered::Little, &[little], audit, total, alone);
        }
        books.record(Answered::Big, &[little, big], &[], times(111), Some(times(100)));
        books
    }

    #[test]
    fn the_books_of_a_session() {
        let books = session();
        books.validate().unwrap();
        assert_eq!((books.little.times.cpu_ns, books.big.times.cpu_ns), (100, 100));
        assert_eq!((books.overhead.times.cpu_ns, books.total.times.cpu_ns), (250, 450));
        assert_eq!((books.total.macs, books.audits.macs, books.frames.audited), (160, 100, 2));
        // Big alone: 100 where it ran, 120 by the audits for each of the nine.
        let saving = books.saving().unwrap();
        assert!((saving.share - (1.0 - 450.0 / 1180.0)).abs() < 1e-12);
        assert_eq!(saving.ci95, Some([saving.share; 2]), "both audits took the same");
        let mut with_more = books;
        with_more.record(Answered::Dropped, &[], &[], times(0), None);
        with_more.record(Answered::Failed, &[], &[], times(0), None);
        assert_eq!(with_more.saving(), books.saving(), "what has no answer saves nothing");
    }

    #[test]
    fn the_interval_holds_the_truth() {
        let mut random = fastrand::Rng::with_seed(8);
        let mut held = 0;
        for _ in 0..400 {
            let mut books = Accounting::default();
            let mut alone = 0;
            for _ in 0..2_000 {
                let big = random.u64(50..150);
                alone += big;
                let audit = [report(1, big, 1)];
                let is_audited = random.f64() < 0.05;
                let audit: &[_] = if is_audited { &audit } else { &[] };
                let known = is_audited.then_some(times(big));
                let total = times(10 + known.map_or(0, |times| times.cpu_ns));
                books.record(Answered::Little, &[report(0, 10, 1)], audit, total, known);
            }
            let truth = 1.0 - books.total.times.cpu_ns as f64 / alone as f64;
            let [low, high] = books.saving().unwrap().ci95.unwrap();
            held += u32::from((low..=high).contains(&truth));
        }
        assert!((365..=397).contains(&held), "{held} of 400, 380 expected");
    }

    prop_compose! {
        fn any_frame()(
            answered in prop_oneof![
                Just(Answered::Little), Just(Answered::Big), Just(Answered::Reused),
                Just(Answered::Degraded), Just(Answered::Dropped), Just(Answered::Failed)
            ],
            levels in prop::collection::vec((any::<u64>(), any::<u64>()), 0..4),
            audit in prop::collection::vec((0u64..1 << 40, 0u64..1 << 40), 0..2),
            total in 0u64..1 << 62,
            known in any::<bool>(),
        ) -> (Answered, Vec<LevelReport>, Vec<LevelReport>, u64, bool) {
            let small = |n: u64| n >> 24;
            let levels = (0..).zip(levels)
                .map(|(tier, (ns, macs))| report(tier, small(ns), small(macs))).collect();
            let audit = audit.into_iter().map(|(ns, macs)| report(1, ns, macs)).collect();
            (answered, levels, audit, small(total), known)
        }
    }

    proptest! {
        /// Whatever clocks say, and through saving, loading and merging.
        #[test]
        fn parts_make_the_total(
            frames in prop::collection::vec(any_frame(), 0..40), cut in 0usize..40
        ) {
            let mut whole = Accounting::default();
            let mut parts = [Accounting::default(); 2];
            for (index, (answered, levels, audit, total, known)) in frames.iter().enumerate() {
                let alone = known.then(|| times(5));
                for books in [&mut whole, &mut parts[usize::from(index >= cut)]] {
                    books.record(*answered, levels, audit, times(*total), alone);
                }
            }
            prop_assert_eq!(whole.little + whole.big + whole.overhead, whole.total);
            let json = serde_json::to_string(&parts[0]).unwrap();
            let mut sum: Accounting = serde_json::from_str(&json).unwrap();
            sum.merge(&parts[1]);
            prop_assert!(sum.validate().is_ok());
            prop_assert_eq!(sum.total, whole.total);
            prop_assert_eq!(sum.frames, whole.frames);
        }
    }
}
