//! A frame with the run-time parts on: gate, threshold, guard, audit, books.

use arrayvec::ArrayVec;

use super::Engine;
use super::runtime::{Frame, Plan, Runtime, RuntimeOptions};
use crate::bundle::{LevelAnswer, ModelBundle};
use crate::cascade::Cascade;
use crate::clock::{Clock, Times};
use crate::decision::{EscalationReason, Threshold};
use crate::device::DeviceReading;
use crate::error::{Error, ErrorKind, Result};
use crate::gate::{Signature, TemporalGate};
use crate::monitor::Answered;
use crate::outcome::{AnswerStatus, LevelReport, MAX_LEVELS, Marks, Outcome};
use crate::storm::{StormGuard, StormPriority};

use super::clock::SystemClock;
use super::inputs::Shot;
use super::stage::Stage;

/// The run-time parts of one engine, with what only an engine needs.
#[derive(Debug)]
pub(super) struct Watch {
    runtime: Runtime,
    gate: Option<TemporalGate<Outcome>>,
    storm: Option<StormGuard>,
    /// From the engine's clock to that of the readings, in milliseconds.
    offset_ms: i64,
    /// Whether the last level is a committee, so that big alone is both.
    committee: bool,
}

impl Watch {
    pub fn open(bundle: &ModelBundle, options: &RuntimeOptions) -> Result<Self> {
        let manifest = bundle.manifest();
        let [_, big] = &manifest.levels[..] else {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "the run-time policy moves one threshold and needs a bundle of 2 levels, but \
                     this has {}: leave EngineOptions::runtime out",
                    manifest.levels.len()
                ),
            ));
        };
        let range = manifest.score_range(0, bundle.labels().len());
        Ok(Watch {
            runtime: Runtime::new(options, manifest.identity(), range)?,
            gate: options.gate.map(TemporalGate::new).transpose()?,
            storm: options.storm.map(StormGuard::new).transpose()?,
            offset_ms: 0,
            committee: big.answer == LevelAnswer::Committee,
        })
    }

    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    pub fn runtime_mut(&mut self) -> &mut Runtime {
        &mut self.runtime
    }

    pub fn push_reading(&mut self, reading: &DeviceReading, now: Times) {
        let here = (now.wall_ns / 1_000_000) as i64;
        self.offset_ms = i64::try_from(reading.at_ms).unwrap_or(i64::MAX).saturating_sub(here);
        self.runtime.push_reading(reading);
    }

    fn at_ms(&self, now: Times) -> u64 {
        let here = (now.wall_ns / 1_000_000) as i64;
        u64::try_from(here.saturating_add(self.offset_ms)).unwrap_or(0)
    }

    pub fn classify(
        &mut self,
        cascade: &mut Cascade<Stage>,
        clock: &SystemClock,
        shot: &Shot<'_>,
    ) -> Result<Outcome> {
        let start = clock.now();
        let at_ms = self.at_ms(start);
        let plan = self.runtime.begin(at_ms);
        let signature = self.gate.as_ref().map(|_| Signature::of(shot.frame()));
        let earlier = self.earlier(signature.as_ref(), at_ms, plan.effective.threshold);
        if let (Some(earlier), None) = (&earlier, plan.audit) {
            return Ok(self.reuse(earlier.clone(), &plan, clock.now() - start));
        }
        cascade.set_threshold(0, plan.effective.threshold)?;
        let mut denied = false;
        let storm = &mut self.storm;
        let found = cascade.run_while(shot, clock, |so_far| {
            let now_ns = start.wall_ns.saturating_add(so_far.wall_ns);
            denied = storm.as_mut().is_some_and(|storm| !storm.may_run(now_ns, so_far.wall_ns));
            !denied
        });
        let mut outcome = match found {
            Ok(outcome) => outcome,
            Err(_) if denied => dropped(ArrayVec::new(), plan.effective.threshold),
            Err(error) if error.kind() == ErrorKind::Cancelled => {
                self.runtime.abandon(clock.now() - start);
                return Err(error);
            }
            Err(error) => {
                let failed =
                    Frame { total: clock.now() - start, acceptable: false, ..Frame::default() };
                self.runtime.finish(&plan, &failed);
                return Err(error);
            }
        };
        let mut answered = match outcome.levels.len() {
            0 | 1 => Answered::Little,
            _ => Answered::Big,
        };
        if denied {
            answered = Answered::Dropped;
            match self.storm.map(|storm| storm.priority()) {
                Some(StormPriority::LatencyFirst) if outcome.status == AnswerStatus::Fallback => {
                    answered = Answered::Degraded;
                    outcome.marks.degraded = true;
                }
                _ => outcome = dropped(outcome.levels, plan.effective.threshold),
            }
        }
        self.conclude(cascade, clock, shot, start, &plan, earlier, answered, &mut outcome);
        if let (Some(gate), Some(signature)) = (&mut self.gate, signature) {
            if matches!(answered, Answered::Little | Answered::Big) {
                gate.remember(signature, at_ms, outcome.clone());
            } else {
                gate.forget();
            }
        }
        Ok(outcome)
    }

    /// The answer of an earlier frame, if it may stand for this one: not if the
    /// first level gave it less surely than is asked by now.
    fn earlier(
        &self,
        signature: Option<&Signature>,
        at_ms: u64,
        threshold: Threshold,
    ) -> Option<Outcome> {
        let earlier = self.gate.as_ref()?.answer(signature?, at_ms)?;
        (earlier.tier > 0 || threshold.accepts(earlier.score)).then(|| earlier.clone())
    }

    fn reuse(&mut self, mut outcome: Outcome, plan: &Plan, total: Times) -> Outcome {
        let by_little = outcome.tier == 0;
        outcome.marks = Marks {
            reused: true,
            below_certificate: by_little && Runtime::is_below_certificate(plan, outcome.score),
            ..Marks::default()
        };
        outcome.levels.clear();
        outcome.threshold = plan.effective.threshold;
        (outcome.times, outcome.macs) = (Times::default(), 0);
        let frame = Frame {
            score: outcome.score,
            accepted: by_little,
            answered: Answered::Reused,
            total,
            ..Frame::default()
        };
        self.runtime.finish(plan, &frame);
        outcome
    }

    /// Audits the frame if it was drawn, marks it and books it.
    #[allow(clippy::too_many_arguments, reason = "it is the second half of `classify`")]
    fn conclude(
        &mut self,
        cascade: &mut Cascade<Stage>,
        clock: &SystemClock,
        shot: &Shot<'_>,
        start: Times,
        plan: &Plan,
        earlier: Option<Outcome>,
        answered: Answered,
        outcome: &mut Outcome,
    ) {
        let first = outcome.levels.first().copied();
        let escalation = first.and_then(|first| first.escalation);
        let accepted = first.is_some() && escalation.is_none();
        let last = cascade.levels().len() - 1;
        // What the big network says, where it ran anyway or is asked now.
        let mut audit = ArrayVec::<LevelReport, MAX_LEVELS>::new();
        let mut big = match outcome.levels.last() {
            Some(level) if usize::from(level.tier) == last && level.score.is_finite() => {
                Some(level.label)
            }
            _ => None,
        };
        if plan.audit.is_some()
            && accepted
            && let Ok(found) = cascade.run_level(last, shot, clock)
        {
            big = Some(found.label);
            if let Some(storm) = &mut self.storm {
                storm.audits(clock.now().wall_ns);
            }
            audit = found.levels;
            outcome.marks.audited = true;
        }
        // An answer that the gate would have given again is judged in its place.
        let would_reuse = earlier.is_some();
        let label = earlier.map_or(first.and_then(|first| first.label), |earlier| earlier.label);
        let ran = if audit.is_empty() { &outcome.levels } else { &audit };
        let big_alone = big.map(|_| {
            let levels = ran.iter().filter(|level| self.committee || level.tier > 0);
            levels.fold(Times::default(), |sum, level| sum + level.times)
        });
        if let (Some(storm), Some(level)) = (&mut self.storm, ran.last())
            && level.tier > 0
        {
            storm.took(level.times.wall_ns);
        }
        let score = first.map_or(f32::NAN, |first| first.score);
        outcome.marks.below_certificate =
            answered == Answered::Little && accepted && Runtime::is_below_certificate(plan, score);
        let booked = Frame {
            score,
            accepted,
            acceptable: matches!(escalation, None | Some(EscalationReason::LowScore)),
            answered,
            would_reuse,
            differs: big.map(|big| big != label),
            levels: &outcome.levels,
            audit: &audit,
            total: clock.now() - start,
            big_alone,
        };
        self.runtime.finish(plan, &booked);
    }
}

/// No answer for want of time; the levels that ran show what was spent.
fn dropped(levels: ArrayVec<LevelReport, MAX_LEVELS>, threshold: Threshold) -> Outcome {
    let times = levels.iter().fold(Times::default(), |sum, level| sum + level.times);
    let macs = levels.iter().fold(0u64, |sum, level| sum.saturating_add(level.macs));
    Outcome {
        label: None,
        score: levels.first().map_or(f32::NAN, |level| level.score),
        threshold,
        tier: 0,
        status: AnswerStatus::Dropped,
        levels,
        times,
        macs,
        failure: None,
        marks: Marks::default(),
    }
}

impl Engine {
    /// Takes a reading of the device, on whose clock frames are placed from then
    /// on. Without [`EngineOptions::runtime`](super::EngineOptions::runtime) it
    /// changes nothing.
    pub fn push_reading(&mut self, reading: &DeviceReading) {
        let now = self.clock.now();
        if let Some(watch) = &mut self.watch {
            watch.push_reading(reading, now);
        }
    }

    /// The run-time parts, if they are on.
    #[must_use]
    pub fn runtime(&self) -> Option<&Runtime> {
        self.watch.as_ref().map(Watch::runtime)
    }

    /// The run-time parts, if they are on: to set the user's mode or a budget,
    /// and to go on from a saved state.
    pub fn runtime_mut(&mut self) -> Option<&mut Runtime> {
        self.watch.as_mut().map(Watch::runtime_mut)
    }
}
