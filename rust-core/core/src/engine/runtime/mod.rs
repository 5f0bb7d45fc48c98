//! The run-time parts of an engine, joined: policy, controller, monitor and
//! guards.
//!
//! Decides the threshold of each frame, and whether it is audited, reused or
//! dropped. It runs no network and reads no clock: [`Engine`](super::Engine)
//! drives it, and so does a simulation that has only recorded scores:
//!
//! ```
//! # fn main() -> biglittle::Result<()> {
//! use biglittle::engine::{Frame, Runtime, RuntimeOptions};
//! use biglittle::monitor::Answered;
//! use biglittle::Threshold;
//!
//! let options = RuntimeOptions::uncertified(Threshold::new(0.6)?)?;
//! let mut runtime = Runtime::new(&options, "digits 1.0", (0.0, 1.0))?;
//! for (index, score) in [0.9, 0.3].into_iter().enumerate() {
//!     let plan = runtime.begin(index as u64 * 100);
//!     let accepted = plan.effective.threshold.accepts(score);
//!     let answered = if accepted { Answered::Little } else { Answered::Big };
//!     runtime.finish(&plan, &Frame { score, accepted, answered, ..Frame::default() });
//! }
//! assert_eq!(runtime.summary().accounting.frames.big, 1);
//! # Ok(())
//! # }
//! ```

mod options;
mod state;
#[cfg(test)]
mod tests;

pub use options::{AlarmOptions, DriftReference, RecalibrationOptions, RuntimeOptions};

use crate::calibrate::{ExactRule, Target};
use crate::clock::Times;
use crate::controller::RateController;
use crate::decision::Threshold;
use crate::device::{DeviceReading, UserMode};
use crate::error::Result;
use crate::monitor::{Answered, AuditRow, AuditRows, Auditor, Cusum, DriftWatch, FleetSummary};
use crate::outcome::LevelReport;
use crate::policy::{
    Allowance, Budget, BudgetInfeasible, Demand, Effective, Policy, RateCause, ReadingFaults,
};

/// The frame rate that is assumed until frames have come.
const FIRST_FRAMES_PER_SECOND: f64 = 30.0;

/// Policy, controller and monitor of one session.
#[derive(Debug, Clone)]
pub struct Runtime {
    policy: Policy,
    budget: Option<Budget>,
    allowance: Option<Allowance>,
    demand: Demand,
    controller: RateController,
    least_score: f32,
    auditor: Option<Auditor>,
    alarm: Option<Cusum>,
    drift: Option<DriftWatch>,
    /// The promise that audited rows are to certify anew.
    target: Option<Target>,
    rows: AuditRows,
    summary: FleetSummary,
    /// Between frames, in milliseconds: a mean that forgets.
    frame_ms: f64,
    last_frame_ms: Option<u64>,
}

/// What is decided about a frame before networks see it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// The threshold of the first level, the floor and the reason.
    pub effective: Effective,
    /// The probability with which it was drawn for an audit, if it was.
    pub audit: Option<f64>,
}

/// What became of a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame<'a> {
    /// The first level's score; NaN where it has none.
    pub score: f32,
    /// Whether the first level accepted its answer.
    pub accepted: bool,
    /// Whether it could be accepted at some threshold: it has a label, no tie,
    /// and a score.
    pub acceptable: bool,
    /// How the frame was answered.
    pub answered: Answered,
    /// Whether the temporal gate would have given an earlier answer, had the
    /// frame not been drawn for an audit: then that answer is what `differs` is
    /// about.
    pub would_reuse: bool,
    /// Whether the first level's answer differs from the last one's, where both
    /// ran.
    pub differs: Option<bool>,
    /// The levels that ran for the answer.
    pub levels: &'a [LevelReport],
    /// The levels that ran for an audit.
    pub audit: &'a [LevelReport],
    /// From the frame's arrival to its answer.
    pub total: Times,
    /// What the big network alone takes on this frame, where that is known.
    pub big_alone: Option<Times>,
}

impl Default for Frame<'_> {
    /// A frame that nothing is known of; every field should be looked at.
    fn default() -> Self {
        Frame {
            score: f32::NAN,
            accepted: false,
            acceptable: true,
            answered: Answered::Failed,
            would_reuse: false,
            differs: None,
            levels: &[],
            audit: &[],
            total: Times::default(),
            big_alone: None,
        }
    }
}

/// What an app may want to show or log.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RuntimeStatus {
    /// What is asked of the cascade.
    pub demand: Demand,
    /// The threshold in force, and why.
    pub effective: Effective,
    /// The frames a second that arrive.
    pub frames_per_second: f64,
    /// What to do where the floor does not let the budget be kept.
    pub budget_infeasible: Option<BudgetInfeasible>,
    /// By how many certificates accuracy alarms have raised the floor.
    pub floor_raised_by: u8,
    /// What was wrong with readings.
    pub faults: ReadingFaults,
}

impl Runtime {
    /// The parts for a bundle of this name and version, whose first level's
    /// scores lie in `range`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) that
    /// names the option that is out of range.
    pub fn new(
        options: &RuntimeOptions,
        bundle: impl Into<String>,
        range: (f32, f32),
    ) -> Result<Self> {
        let policy = Policy::new(options.policy.clone())?;
        if let Some(budget) = &options.budget {
            budget.validate()?;
        }
        let (alarm, target) = options.checked_watch()?;
        let mut runtime = Runtime {
            demand: policy.demand(None),
            policy,
            budget: options.budget,
            allowance: None,
            controller: RateController::new(options.rate_step, range)?,
            least_score: range.0,
            auditor: options.audit.map(Auditor::new).transpose()?,
            alarm,
            drift: options
                .drift
                .map(|drift| DriftWatch::new(drift.options, &drift.calibration))
                .transpose()?,
            target,
            rows: AuditRows::new(options.recalibration.map_or(0, |options| options.rows as usize)),
            summary: FleetSummary::empty(bundle, range),
            frame_ms: 1e3 / FIRST_FRAMES_PER_SECOND,
            last_frame_ms: None,
        };
        runtime.summary.sessions = 1;
        runtime.refresh();
        Ok(runtime)
    }

    /// Takes a reading of the device.
    pub fn push_reading(&mut self, reading: &DeviceReading) {
        if self.policy.observe(reading) {
            self.refresh();
        }
    }

    /// Sets what the user prefers.
    pub fn set_mode(&mut self, mode: UserMode) {
        self.policy.set_mode(mode);
        self.refresh();
    }

    /// Sets what may be spent on the big network, or that nothing limits it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) as
    /// [`Budget::validate`]; the budget before stays.
    pub fn set_budget(&mut self, budget: Option<Budget>) -> Result<()> {
        if let Some(budget) = &budget {
            budget.validate()?;
        }
        self.budget = budget;
        self.refresh();
        Ok(())
    }

    /// A fresh certificate of the promise, made from audited frames of this
    /// device after an accuracy alarm: the floor need not be higher than that.
    pub fn set_fresh_floor(&mut self, threshold: Threshold) {
        self.policy.set_fresh_floor(threshold);
        self.refresh();
    }

    fn refresh(&mut self) {
        let rate = 1e3 / self.frame_ms;
        self.allowance = self.budget.and_then(|budget| self.policy.allowance(&budget, rate));
        self.demand = self.policy.demand(self.allowance);
    }

    fn effective(&self) -> Effective {
        self.demand.threshold(self.held())
    }

    /// What holds the rate: nothing where every frame may run the big network.
    fn held(&self) -> Threshold {
        if self.demand.target_rate < 1.0 {
            self.controller.threshold()
        } else {
            Threshold::ALWAYS_ESCALATE
        }
    }

    fn audit_probability(&self) -> f64 {
        self.auditor.as_ref().map_or(0.0, Auditor::probability)
    }

    /// The share of frames that may escalate, so that with audits of the others
    /// the big network runs on `rate` of all. Not below 0: audits beyond the rate
    /// go on, since leaving some out would bias what they estimate.
    fn left_by_audits(&self, rate: f64) -> f64 {
        let audits = self.audit_probability();
        if audits > 0.0 && rate < 1.0 { ((rate - audits) / (1.0 - audits)).max(0.0) } else { rate }
    }

    /// Decides about a frame that arrives at `at_ms`, on the clock of the
    /// readings.
    pub fn begin(&mut self, at_ms: u64) -> Plan {
        if let Some(passed) = self.last_frame_ms.and_then(|last| at_ms.checked_sub(last)) {
            // A pause is no frame rate.
            let passed = (passed as f64).min(2_000.0);
            self.frame_ms += (passed - self.frame_ms) / 32.0;
            self.frame_ms = self.frame_ms.max(0.1);
        }
        self.last_frame_ms = Some(at_ms);
        if self.policy.advance_to(at_ms) {
            self.refresh();
        }
        let audit = self.auditor.as_mut().and_then(Auditor::draw);
        Plan { effective: self.effective(), audit }
    }

    /// Whether an answer of the first level with this score is outside the
    /// certificate.
    #[must_use]
    pub fn is_below_certificate(plan: &Plan, score: f32) -> bool {
        !plan.effective.floor.accepts(score)
    }

    /// Takes what became of the frame that was planned last.
    pub fn finish(&mut self, plan: &Plan, frame: &Frame<'_>) {
        let by_little = matches!(frame.answered, Answered::Little | Answered::Reused);
        if by_little && frame.accepted && Runtime::is_below_certificate(plan, frame.score) {
            self.summary.accounting.count_below_certificate();
        }
        match frame.answered {
            Answered::Reused => self.summary.audit.observe(None, true, None, None),
            _ => self.judged(plan, frame),
        }
        let Frame { answered, levels, audit, total, big_alone, .. } = *frame;
        self.summary.accounting.record(answered, levels, audit, total, big_alone);
        self.count_level();
    }

    /// Books the frame that was planned last as dropped, because the caller
    /// cancelled it after `total`. Nothing is learned from its scores.
    pub fn abandon(&mut self, total: Times) {
        self.summary.accounting.record(Answered::Dropped, &[], &[], total, None);
        self.count_level();
    }

    fn count_level(&mut self) {
        let frames = &mut self.summary.frames_at_level[usize::from(self.demand.level)];
        *frames = frames.saturating_add(1);
    }

    /// The statistics of a frame on which the first level ran.
    fn judged(&mut self, plan: &Plan, frame: &Frame<'_>) {
        let score = if frame.acceptable { frame.score } else { f32::NAN };
        let lowest = self.demand.lower_bound(self.least_score);
        let is_least = !(score > lowest || (lowest <= self.least_score && score.is_finite()));
        if !frame.would_reuse {
            let target = self.left_by_audits(self.demand.target_rate);
            self.controller.observe(!frame.accepted, target, lowest, is_least);
        }
        self.summary.scores.add(score);
        let bin = self.summary.scores.bin(score);
        let stands = frame.accepted || frame.would_reuse;
        self.summary.audit.observe(bin, stands, plan.audit, frame.differs);
        if let (Some(_), Some(differs)) = (plan.audit, frame.differs) {
            let score = score.is_finite().then_some(score);
            // What the gate would have said is no sample of the first level.
            let row = (!frame.would_reuse).then_some(AuditRow { score, differs });
            self.audited(stands && differs, row);
        }
        if self.drift.as_mut().is_some_and(|drift| drift.observe(score)) {
            log::warn!("the little network's scores no longer lie as in calibration");
            self.summary.drift_alarms = self.summary.drift_alarms.saturating_add(1);
            if let Some(auditor) = &mut self.auditor {
                auditor.raise();
            }
        }
    }

    fn audited(&mut self, is_bad: bool, row: Option<AuditRow>) {
        if self.alarm.as_mut().is_some_and(|alarm| alarm.observe(is_bad)) {
            log::warn!("audited answers differ more often than promised: the floor is raised");
            self.summary.accuracy_alarms = self.summary.accuracy_alarms.saturating_add(1);
            self.policy.raise_floor();
            self.rows.clear();
            self.refresh();
        } else if self.policy.raised_by() > 0 && row.is_some_and(|row| self.rows.push(row)) {
            self.recalibrate();
        }
    }

    /// There are enough audited rows since the alarm.
    fn recalibrate(&mut self) {
        let Some(target) = self.target else { return };
        let found = certify(target, self.rows.rows().iter().copied());
        self.rows.clear();
        match found {
            Ok(threshold) => {
                log::info!("audited frames certify the threshold {threshold}");
                self.policy.set_fresh_floor(threshold);
                self.refresh();
            }
            Err(error) => log::warn!("audited frames certify nothing: {error}"),
        }
    }

    /// The state for the app.
    #[must_use]
    pub fn status(&self) -> RuntimeStatus {
        let rate = 1e3 / self.frame_ms;
        let infeasible = self.allowance.and_then(|allowance| {
            let (lowest, tolerance) = self.controller.lowest_rate()?;
            let with_audits = lowest + (1.0 - lowest) * self.audit_probability();
            allowance.check(with_audits, tolerance, rate)
        });
        RuntimeStatus {
            demand: self.demand,
            effective: self.effective(),
            frames_per_second: rate,
            budget_infeasible: infeasible,
            floor_raised_by: self.policy.raised_by(),
            faults: self.policy.faults(),
        }
    }

    /// The sums of this session and those that it went on from.
    #[must_use]
    pub fn summary(&self) -> &FleetSummary {
        &self.summary
    }

    /// Whether the share of the big network is limited now, and by what.
    #[must_use]
    pub fn rate_limit(&self) -> Option<(f64, RateCause)> {
        let Demand { target_rate, rate_cause, .. } = self.demand;
        (target_rate < 1.0).then_some((target_rate, rate_cause))
    }
}

/// The threshold that rows certify by the exact rule.
fn certify(target: Target, rows: impl ExactSizeIterator<Item = AuditRow>) -> Result<Threshold> {
    let mut rule = ExactRule::new(target, rows.len() as u64);
    for row in rows {
        rule.push(row.score.unwrap_or(f32::NAN), row.differs);
    }
    Ok(rule.finish()?.threshold)
}
