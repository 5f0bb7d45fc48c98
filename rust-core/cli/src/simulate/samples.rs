//! Frames out of a trace: what both networks made of each, and what that took.

use biglittle::bundle::{LevelAnswer, Manifest};
use biglittle::calibrate::Loss;
use biglittle::clock::Times;
use biglittle::{LevelReport, Result};
use fastrand::Rng;

use super::invalid;
use crate::rows::Rows;

/// One row of the trace as a frame of the camera.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// The little network's score; NaN where its answer can never be accepted.
    pub score: f32,
    /// What little and big answer.
    pub answers: [Option<u32>; 2],
    /// Whether that is right: as the label says or, without labels, as big says.
    pub right: [bool; 2],
    /// Whether letting little's answer stand is a loss.
    pub bad: bool,
    /// What both take, in nanoseconds of processor time.
    pub cpu_ns: [u64; 2],
}

/// The rows of a trace that frames are taken from.
#[derive(Debug)]
pub struct Samples {
    pub all: Vec<Sample>,
    /// What counts as a loss: harm where there are labels.
    pub loss: Loss,
    /// Multiply-accumulates of little's and of big's own networks.
    pub macs: [u64; 2],
    /// Whether big's answer is made of both, so that big alone runs both.
    pub is_committee: bool,
    /// Whether the trace says what networks took.
    pub has_times: bool,
    /// The scores' range.
    pub range: (f32, f32),
}

impl Samples {
    /// # Errors
    /// When the bundle has not two levels.
    pub fn of(rows: &Rows, manifest: &Manifest, labels: usize) -> Result<Self> {
        let [little, big] = &manifest.levels[..] else {
            return Err(invalid(format!(
                "is of a bundle with {} levels: the run-time policy moves one threshold and needs 2",
                manifest.levels.len()
            )));
        };
        let macs = |networks: &[String]| {
            let network = |id: &String| manifest.network(id).map_or(0, |network| network.macs);
            networks.iter().map(network).sum()
        };
        let has_times = rows.left_out.has_costs;
        let sample = |row: usize| {
            let cpu_ns = |level: usize| match has_times {
                true => rows.block.levels[level].cpu_ns[row],
                false => 0,
            };
            Sample {
                score: rows.score(row, 0),
                answers: [0, 1].map(|level| rows.answer(row, level)),
                right: [0, 1].map(|level| rows.is_right(row, level)),
                bad: rows.is_bad(row, 0),
                cpu_ns: [0, 1].map(cpu_ns),
            }
        };
        Ok(Samples {
            all: (0..rows.len()).map(sample).collect(),
            loss: rows.loss,
            macs: [macs(&little.networks), macs(&big.networks)],
            is_committee: big.answer == LevelAnswer::Committee,
            has_times,
            range: manifest.score_range(0, labels),
        })
    }

    /// What one level made of a sample.
    pub fn report(&self, sample: &Sample, level: usize) -> LevelReport {
        // Traces of phones have one clock only that matters here.
        let times = Times { wall_ns: sample.cpu_ns[level], cpu_ns: sample.cpu_ns[level] };
        LevelReport {
            tier: level as u8,
            label: sample.answers[level],
            score: if level == 0 { sample.score } else { 1.0 },
            escalation: None,
            times,
            macs: self.macs[level],
        }
    }

    /// The processor time of big alone.
    pub fn big_alone_ns(&self, sample: &Sample) -> u64 {
        let [little, big] = sample.cpu_ns;
        if self.is_committee { little.saturating_add(big) } else { big }
    }

    /// The multiply-accumulates of big alone.
    pub fn big_alone_macs(&self) -> u64 {
        let [little, big] = self.macs;
        if self.is_committee { little + big } else { big }
    }
}

/// In which order rows become frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Order {
    /// Drawn with replacement, by the seed
    Sample,
    /// One after the other, again and again
    Cycle,
}

/// Picks the row of each frame.
#[derive(Debug, Clone)]
pub struct Draw {
    order: Order,
    random: Rng,
    next: usize,
}

impl Draw {
    pub fn new(order: Order, seed: u64) -> Self {
        // Audits draw with the same seed: which frames come must not hang together
        // with which are audited.
        Draw { order, random: Rng::with_seed(seed ^ 0x9E37_79B9_7F4A_7C15), next: 0 }
    }

    /// The next frame of the camera.
    pub fn next<'a>(&mut self, samples: &'a Samples) -> &'a Sample {
        let count = samples.all.len();
        let index = match self.order {
            Order::Sample => self.random.usize(..count),
            Order::Cycle => self.next % count,
        };
        self.next = (self.next + 1) % count;
        &samples.all[index]
    }
}
