//! Little first, bigger only when unsure: the cascade itself.
//!
//! Decides which networks run for an input and whose answer counts. Generic
//! over what a network and an input are, so it knows nothing of frames, files
//! or tract. Called by [`engine`](crate::engine). Steady state: no allocation,
//! no lock.

use std::ops::RangeInclusive;
use std::sync::Arc;

use arrayvec::ArrayVec;

use crate::cancel::CancelFlag;
use crate::clock::{Clock, Times};
use crate::decision::{
    Confidence, EscalationReason, LabelTally, OutputSpec, Scores, Threshold, Verdict, judge,
};
use crate::error::{Error, ErrorKind, Result};
use crate::outcome::{AnswerStatus, LevelReport, MAX_LEVELS, Marks, Outcome};

/// A network that answers inputs of type `I` with raw output values.
pub trait Classifier<I: ?Sized> {
    /// Replaces the contents of `output` by the network's raw values for
    /// `input`.
    ///
    /// # Errors
    /// Any; the cascade then goes on with the next level.
    fn classify(&mut self, input: &I, output: &mut Vec<f32>) -> Result<()>;

    /// The multiply-accumulates of one call.
    fn macs(&self) -> u64;
}

/// A network and what its output means.
#[derive(Debug)]
pub struct Member<C> {
    /// The network.
    pub classifier: C,
    /// What its output means.
    pub output: OutputSpec,
}

/// One step of a cascade.
#[derive(Debug)]
pub struct Level<C> {
    /// The networks that run at this level, in order; at least one.
    pub members: Vec<Member<C>>,
    /// Whether the level answers with the mean of the probabilities of all
    /// networks run so far, those of earlier levels included (one that failed
    /// at an earlier level is left out). Otherwise with its own, or their mean
    /// where it has several. A level one of whose own networks fails has no
    /// answer.
    pub committee: bool,
    /// How sure an answer is.
    pub confidence: Confidence,
    /// What the score has to beat. On the last level: below it the answer is
    /// [`AnswerStatus::Unsure`].
    pub threshold: Threshold,
}

impl<C> Level<C> {
    /// Whether the level is judged on probabilities by label: of several
    /// networks, or of one that has several classes for a label, which are
    /// added.
    fn is_judged_by_label(&self) -> bool {
        self.committee
            || self.members.len() > 1
            || self.members.iter().any(|member| member.output.merges_classes())
    }
}

/// For [`Cascade::run_levels`]: every level runs.
const ALL: Option<fn(Times) -> bool> = None;

/// Levels of networks, run until one is sure.
#[derive(Debug)]
pub struct Cascade<C> {
    levels: Vec<Level<C>>,
    /// For each level, whether it is judged on probabilities by label.
    by_label: ArrayVec<bool, MAX_LEVELS>,
    workspace: Workspace,
    cancel: CancelFlag,
}

impl<C> Cascade<C> {
    /// A cascade over a bundle of `label_count` labels.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when there are no levels, more than
    /// [`MAX_LEVELS`], a level without networks, or an output or confidence out
    /// of range.
    pub fn new(levels: Vec<Level<C>>, label_count: usize) -> Result<Self> {
        if levels.is_empty() || levels.len() > MAX_LEVELS {
            return Err(invalid(format!(
                "the cascade has {} levels: it must have from 1 to {MAX_LEVELS}",
                levels.len()
            )));
        }
        for (index, level) in levels.iter().enumerate() {
            let name = format!("level {index}");
            if level.members.is_empty() {
                return Err(invalid(format!("{name} has no network: give it at least one")));
            }
            for member in &level.members {
                member.output.validate(label_count).map_err(|error| error.context(&name))?;
            }
            let kind = (!level.is_judged_by_label()).then_some(level.members[0].output.kind);
            level.confidence.validate(kind).map_err(|error| error.context(&name))?;
        }
        let by_label: ArrayVec<_, MAX_LEVELS> =
            levels.iter().map(Level::is_judged_by_label).collect();
        let workspace = Workspace {
            label_count,
            needs_tallies: by_label.contains(&true),
            output: Vec::new(),
            scores: Scores::new(),
            all: LabelTally::new(label_count),
            own: LabelTally::new(label_count),
        };
        Ok(Cascade { levels, by_label, workspace, cancel: CancelFlag::default() })
    }

    /// The levels, the little one first.
    #[must_use]
    pub fn levels(&self) -> &[Level<C>] {
        &self.levels
    }

    /// The flag that stops runs of this cascade between levels.
    #[must_use]
    pub fn cancel_flag(&self) -> &CancelFlag {
        &self.cancel
    }

    /// Sets what the score of `level` has to beat from the next input on.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when there is no such level.
    pub fn set_threshold(&mut self, level: usize, threshold: Threshold) -> Result<()> {
        self.level(level)?;
        self.levels[level].threshold = threshold;
        Ok(())
    }

    fn level(&self, level: usize) -> Result<&Level<C>> {
        self.levels.get(level).ok_or_else(|| {
            let last = self.levels.len() - 1;
            invalid(format!("there is no level {level}: the cascade has the levels 0 to {last}"))
        })
    }

    /// The networks of all levels, in order.
    pub(crate) fn classifiers_mut(&mut self) -> impl Iterator<Item = &mut C> {
        self.levels.iter_mut().flat_map(|level| &mut level.members).map(|m| &mut m.classifier)
    }

    /// Runs levels on `input` until one is sure.
    ///
    /// A network that fails counts as unsure: the next level runs. Where no
    /// later level can answer, the answer of the last one that could is
    /// returned as [`AnswerStatus::Fallback`].
    ///
    /// # Errors
    /// [`ErrorKind::Inference`] when no level had a usable answer,
    /// [`ErrorKind::Cancelled`] when [`Cascade::cancel_flag`] was set meanwhile.
    pub fn run<I: ?Sized>(&mut self, input: &I, clock: &impl Clock) -> Result<Outcome>
    where
        C: Classifier<I>,
    {
        self.run_while(input, clock, |_| true)
    }

    /// As [`Cascade::run`], but asks before every level after the first, with
    /// the times of this input so far. Once the answer is no, the levels that
    /// ran decide, as if the others had failed.
    ///
    /// # Errors
    /// As [`Cascade::run`].
    pub fn run_while<I: ?Sized>(
        &mut self,
        input: &I,
        clock: &impl Clock,
        may_go_on: impl FnMut(Times) -> bool,
    ) -> Result<Outcome>
    where
        C: Classifier<I>,
    {
        let last = self.levels.len() - 1;
        let (reports, failure) =
            self.run_levels(0..=last, Some(may_go_on), input, clock, &mut |_, _| {});
        self.cancel.check()?;
        self.conclude(reports, true, last, failure)
    }

    /// Runs every level on `input`, whatever the scores: what a trace records.
    ///
    /// `observe` gets each network's number, counted over all levels, and its
    /// raw values, right after it ran; a network that failed has none. Once
    /// [`Cascade::cancel_flag`] is set no further level runs.
    pub fn run_all<I: ?Sized>(
        &mut self,
        input: &I,
        clock: &impl Clock,
        observe: &mut impl FnMut(usize, &[f32]),
    ) -> ArrayVec<LevelReport, MAX_LEVELS>
    where
        C: Classifier<I>,
    {
        self.run_levels(0..=self.levels.len() - 1, ALL, input, clock, observe).0
    }

    /// Lets `level` answer, whatever its score: the baseline that the cascade
    /// is compared with. A committee runs the levels before it too.
    ///
    /// # Errors
    /// As [`Cascade::run`], and [`ErrorKind::InvalidArgument`] when there is no
    /// such level.
    pub fn run_level<I: ?Sized>(
        &mut self,
        level: usize,
        input: &I,
        clock: &impl Clock,
    ) -> Result<Outcome>
    where
        C: Classifier<I>,
    {
        let first = if self.level(level)?.committee { 0 } else { level };
        let (reports, failure) = self.run_levels(first..=level, ALL, input, clock, &mut |_, _| {});
        self.cancel.check()?;
        self.conclude(reports, false, level, failure)
    }

    /// Runs the levels of `range`: all of them, or with `may_go_on` until one is
    /// sure or it says no.
    fn run_levels<I: ?Sized>(
        &mut self,
        range: RangeInclusive<usize>,
        mut may_go_on: Option<impl FnMut(Times) -> bool>,
        input: &I,
        clock: &impl Clock,
        observe: &mut impl FnMut(usize, &[f32]),
    ) -> (ArrayVec<LevelReport, MAX_LEVELS>, Option<Arc<Error>>)
    where
        C: Classifier<I>,
    {
        let start = clock.now();
        let mut before = start;
        let mut reports = ArrayVec::new();
        let mut failure = None;
        let last = *range.end();
        let mut network = self.levels[..*range.start()].iter().map(|l| l.members.len()).sum();
        self.workspace.all.clear();
        for index in range {
            if self.cancel.is_cancelled() {
                break;
            }
            let level = &mut self.levels[index];
            let by_label = self.by_label[index];
            let mut observe = |output: &[f32]| {
                observe(network, output);
                network += 1;
            };
            let (verdict, macs) =
                self.workspace.run(level, by_label, input, &mut failure, &mut observe);
            let now = clock.now();
            let Verdict { label, score, escalation } = verdict;
            let (tier, times) = (index as u8, now - before);
            reports.push(LevelReport { tier, label, score, escalation, times, macs });
            before = now;
            if let Some(may_go_on) = &mut may_go_on
                && (escalation.is_none() || (index < last && !may_go_on(now - start)))
            {
                break;
            }
        }
        (reports, failure)
    }

    /// Whose answer counts, once all levels that were needed have run.
    fn conclude(
        &self,
        levels: ArrayVec<LevelReport, MAX_LEVELS>,
        stop_when_sure: bool,
        last: usize,
        failure: Option<Arc<Error>>,
    ) -> Result<Outcome> {
        let Some(answer) = levels.iter().rfind(|report| report.score.is_finite()).copied() else {
            return Err(no_answer(&levels, failure));
        };
        let LevelReport { tier, label, score, escalation, .. } = answer;
        let accepted = escalation.is_none();
        let status = match usize::from(tier) == last {
            true if accepted => AnswerStatus::Accepted,
            true => AnswerStatus::Unsure,
            false if accepted && stop_when_sure => AnswerStatus::Accepted,
            false => AnswerStatus::Fallback,
        };
        let times = levels.iter().fold(Times::default(), |sum, report| sum + report.times);
        let macs = levels.iter().fold(0u64, |sum, report| sum.saturating_add(report.macs));
        let marks = Marks::default();
        let threshold = self.levels[0].threshold;
        Ok(Outcome { label, score, threshold, tier, status, levels, times, macs, failure, marks })
    }
}

fn no_answer(levels: &[LevelReport], failure: Option<Arc<Error>>) -> Error {
    let reasons: Vec<_> = levels
        .iter()
        .filter_map(|level| level.escalation.map(|why| format!("level {}: {why}", level.tier)))
        .collect();
    let message = format!("no level gave a usable answer ({})", reasons.join(", "));
    match failure {
        Some(error) => Error::new(ErrorKind::Inference, format!("{message}: {error}")),
        None => Error::new(ErrorKind::Inference, message),
    }
}

/// The memory in which levels run, kept from input to input.
#[derive(Debug)]
struct Workspace {
    label_count: usize,
    /// Whether any level needs `all` and `own`.
    needs_tallies: bool,
    output: Vec<f32>,
    scores: Scores,
    /// Over all networks of this input, and over those of this level.
    all: LabelTally,
    own: LabelTally,
}

impl Workspace {
    fn run<C: Classifier<I>, I: ?Sized>(
        &mut self,
        level: &mut Level<C>,
        by_label: bool,
        input: &I,
        failure: &mut Option<Arc<Error>>,
        observe: &mut impl FnMut(&[f32]),
    ) -> (Verdict, u64) {
        let mut macs = 0u64;
        let mut flaw = None;
        self.own.clear();
        for Member { classifier, output: spec } in &mut level.members {
            self.output.clear();
            match classifier.classify(input, &mut self.output) {
                Ok(()) => {
                    observe(&self.output);
                    macs = macs.saturating_add(classifier.macs());
                    flaw = flaw.or(self.read(spec));
                }
                Err(error) => {
                    observe(&[]);
                    log::warn!("a network could not be run: {error}");
                    flaw = flaw.or(Some(EscalationReason::NetworkFailed));
                    failure.get_or_insert_with(|| Arc::new(error));
                }
            }
        }
        if flaw.is_some() {
            return (Verdict { label: None, score: f32::NAN, escalation: flaw }, macs);
        }
        let Workspace { scores, all, own, .. } = self;
        let (confidence, threshold) = (level.confidence, level.threshold);
        let verdict = if level.committee {
            all.judge(scores, confidence, threshold)
        } else if by_label {
            own.judge(scores, confidence, threshold)
        } else {
            judge(scores, &level.members[0].output, confidence, threshold)
        };
        (verdict, macs)
    }

    /// Reads the network's output; says why it cannot be used, if so.
    fn read(&mut self, spec: &OutputSpec) -> Option<EscalationReason> {
        self.scores.read(spec, self.label_count, &self.output);
        let flaw = self.scores.flaw();
        if self.needs_tallies && flaw.is_none() {
            self.own.add(&self.scores, spec);
            self.all.add(&self.scores, spec);
        }
        flaw
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}
