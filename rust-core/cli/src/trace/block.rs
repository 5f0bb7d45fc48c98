//! Rows in memory, column by column: what is written and read.

use biglittle::EscalationReason;
use biglittle::calibrate::Split;
use biglittle::decision::Confidence;

/// The confidences of which every row has the score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScoreKind {
    Margin,
    MaxProbability,
    NegativeEntropy,
    MaxLogitPNorm,
}

/// All of them, in the order of [`LevelBlock::scores`].
pub const SCORES: [ScoreKind; 4] = [
    ScoreKind::Margin,
    ScoreKind::MaxProbability,
    ScoreKind::NegativeEntropy,
    ScoreKind::MaxLogitPNorm,
];

impl ScoreKind {
    /// The kind of a confidence.
    pub fn of(confidence: Confidence) -> Self {
        match confidence {
            Confidence::Margin => ScoreKind::Margin,
            Confidence::MaxProbability => ScoreKind::MaxProbability,
            Confidence::NegativeEntropy => ScoreKind::NegativeEntropy,
            Confidence::MaxLogitPNorm { .. } => ScoreKind::MaxLogitPNorm,
        }
    }

    /// The confidence, where `p` is the order of the norm.
    pub fn confidence(self, p: f32) -> Confidence {
        match self {
            ScoreKind::Margin => Confidence::Margin,
            ScoreKind::MaxProbability => Confidence::MaxProbability,
            ScoreKind::NegativeEntropy => Confidence::NegativeEntropy,
            ScoreKind::MaxLogitPNorm => Confidence::MaxLogitPNorm { p },
        }
    }

    /// The name in columns, manifests and reports.
    pub fn name(self) -> &'static str {
        match self {
            ScoreKind::Margin => "margin",
            ScoreKind::MaxProbability => "max_probability",
            ScoreKind::NegativeEntropy => "negative_entropy",
            ScoreKind::MaxLogitPNorm => "max_logit_p_norm",
        }
    }
}

/// Consecutive rows. A column that was not asked for is empty.
#[derive(Debug, Clone, Default)]
pub struct Block {
    pub rows: usize,
    pub samples: Vec<String>,
    pub image_sha256: Vec<String>,
    pub groups: Vec<Option<String>>,
    pub labels: Vec<Option<u32>>,
    pub splits: Vec<Split>,
    pub levels: Vec<LevelBlock>,
    pub networks: Vec<NetworkBlock>,
}

/// What one level made of the rows.
#[derive(Debug, Clone, Default)]
pub struct LevelBlock {
    /// The level's answer; `None` where it has none or its class has no label.
    pub answers: Vec<Option<u32>>,
    /// Why the answer can never be accepted, if so.
    pub flaws: Vec<Option<EscalationReason>>,
    /// A column for each of [`SCORES`]; NaN where the answer can never be
    /// accepted by it.
    pub scores: [Vec<f32>; 4],
    /// Of the scores that were read, those that were stored as NaN or infinite.
    pub not_finite: u64,
    /// Multiply-accumulates of the level's own networks.
    pub macs: Vec<u64>,
    /// CPU time of the level's own networks, their preprocessing and the
    /// success checker.
    pub cpu_ns: Vec<u64>,
    pub wall_ns: Vec<u64>,
}

/// What one network made of the rows.
#[derive(Debug, Clone, Default)]
pub struct NetworkBlock {
    /// CPU time of the network and its preprocessing.
    pub cpu_ns: Vec<u64>,
    pub wall_ns: Vec<u64>,
    /// Raw values, [`NetworkBlock::width`] a row.
    pub outputs: Vec<f32>,
    /// The number of raw values a row.
    pub width: usize,
}

impl Block {
    /// No rows of `levels` levels and networks with `widths` raw values a row.
    pub fn new(levels: usize, widths: &[usize]) -> Self {
        let network = |width: &usize| NetworkBlock { width: *width, ..NetworkBlock::default() };
        Block {
            levels: vec![LevelBlock::default(); levels],
            networks: widths.iter().map(network).collect(),
            ..Block::default()
        }
    }

    /// Forgets the rows but keeps the memory.
    pub fn clear(&mut self) {
        self.rows = 0;
        self.samples.clear();
        self.image_sha256.clear();
        self.groups.clear();
        self.labels.clear();
        self.splits.clear();
        for level in &mut self.levels {
            level.answers.clear();
            level.flaws.clear();
            level.scores.iter_mut().for_each(Vec::clear);
            level.not_finite = 0;
            level.macs.clear();
            level.cpu_ns.clear();
            level.wall_ns.clear();
        }
        for network in &mut self.networks {
            network.cpu_ns.clear();
            network.wall_ns.clear();
            network.outputs.clear();
        }
    }
}

impl NetworkBlock {
    /// The raw values of a row; nothing where they were not recorded.
    pub fn output(&self, row: usize) -> &[f32] {
        self.outputs.get(row * self.width..(row + 1) * self.width).unwrap_or_default()
    }
}
