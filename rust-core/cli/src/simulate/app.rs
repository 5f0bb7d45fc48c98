//! The app on the phone: each frame goes through the core's run-time parts as the
//! engine would drive them, with recorded scores in place of networks.

use biglittle::clock::Times;
use biglittle::engine::{Frame, Plan, Runtime, RuntimeOptions};
use biglittle::monitor::Answered;
use biglittle::storm::{StormGuard, StormPriority};
use biglittle::{LevelReport, Result};

use super::samples::{Sample, Samples};

/// What came of a frame.
#[derive(Debug, Clone, Copy)]
pub struct Came {
    pub plan: Plan,
    /// Whether little was unsure.
    pub escalated: bool,
    /// Whether the answer is right; nothing where there is none.
    pub right: Option<bool>,
    /// Whether the answer is little's where that is a loss.
    pub bad: bool,
    /// The processor time that it took.
    pub cpu_ns: u64,
    /// The part of it that little took for the answer.
    pub little_ns: u64,
    /// The multiply-accumulates.
    pub macs: u64,
}

/// The run-time parts, with what only an engine needs.
#[derive(Debug)]
pub struct App<'a> {
    samples: &'a Samples,
    options: RuntimeOptions,
    bundle: String,
    pub runtime: Runtime,
    storm: Option<StormGuard>,
}

impl<'a> App<'a> {
    pub fn new(samples: &'a Samples, options: RuntimeOptions, bundle: &str) -> Result<Self> {
        let runtime = Runtime::new(&options, bundle, samples.range)?;
        let storm = options.storm.map(StormGuard::new).transpose()?;
        Ok(App { samples, options, bundle: bundle.into(), runtime, storm })
    }

    /// The app is started again: what it saved comes back, everything else is
    /// gone.
    pub fn restart(&mut self) -> Result<()> {
        let saved = self.runtime.save();
        self.runtime = Runtime::new(&self.options, &*self.bundle, self.samples.range)?;
        self.runtime.restore(&saved)?;
        self.storm = self.options.storm.map(StormGuard::new).transpose()?;
        Ok(())
    }

    /// A frame that arrives at `at_ms` on the clock of the readings, after
    /// `elapsed_ms` of the day.
    pub fn frame(&mut self, sample: &Sample, at_ms: u64, elapsed_ms: f64) -> Came {
        let plan = self.runtime.begin(at_ms);
        let accepted = plan.effective.threshold.accepts(sample.score);
        let answered = match accepted {
            true => Answered::Little,
            false => self.unsure(sample, (elapsed_ms * 1e6) as u64),
        };
        let [little, big] = [0, 1].map(|level| self.samples.report(sample, level));
        let big_ran = answered == Answered::Big;
        let levels = [little, big];
        let levels = if big_ran { &levels[..] } else { &levels[..1] };
        let looks = plan.audit.is_some() && accepted;
        let audit = match (looks, self.samples.is_committee) {
            (false, _) => &[][..],
            (true, false) => &[big],
            (true, true) => &[little, big],
        };
        let took =
            |levels: &[LevelReport]| levels.iter().fold(Times::default(), |s, l| s + l.times);
        let total = took(levels) + took(audit);
        let known = big_ran || looks;
        let alone_ns = self.samples.big_alone_ns(sample);
        self.runtime.finish(
            &plan,
            &Frame {
                score: sample.score,
                accepted,
                acceptable: sample.score.is_finite(),
                answered,
                would_reuse: false,
                differs: known.then_some(sample.answers[0] != sample.answers[1]),
                levels,
                audit,
                total,
                big_alone: known.then_some(Times { wall_ns: alone_ns, cpu_ns: alone_ns }),
            },
        );
        if let (Some(storm), true) = (&mut self.storm, looks) {
            storm.audits((elapsed_ms * 1e6) as u64);
        }
        if let (Some(storm), true) = (&mut self.storm, known) {
            storm.took(big.times.wall_ns);
        }
        let by_little = matches!(answered, Answered::Little | Answered::Degraded);
        let right = match answered {
            Answered::Dropped => None,
            _ => Some(sample.right[usize::from(!by_little)]),
        };
        let macs = |levels: &[LevelReport]| levels.iter().map(|level| level.macs).sum::<u64>();
        Came {
            plan,
            escalated: !accepted,
            right,
            bad: by_little && sample.bad,
            cpu_ns: total.cpu_ns,
            little_ns: little.times.cpu_ns,
            macs: macs(levels) + macs(audit),
        }
    }

    /// How an unsure frame is answered: by the big network, if the storm guard
    /// lets it.
    fn unsure(&mut self, sample: &Sample, now_ns: u64) -> Answered {
        let little_ns = sample.cpu_ns[0];
        let Some(storm) = &mut self.storm else { return Answered::Big };
        if storm.may_run(now_ns.saturating_add(little_ns), little_ns) {
            return Answered::Big;
        }
        match storm.priority() {
            StormPriority::LatencyFirst if sample.answers[0].is_some() => Answered::Degraded,
            _ => Answered::Dropped,
        }
    }
}
