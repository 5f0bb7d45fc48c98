//! The rows of a trace that a report or a simulation is about, and what counts as
//! right among them.

use biglittle::bundle::Manifest;
use biglittle::calibrate::{Loss, Split};
use biglittle::decision::Threshold;
use biglittle::{EscalationReason, Result};

use crate::trace::{Block, SCORES, ScoreKind, Source, Wanted, invalid};

/// Which rows a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Chosen {
    Tune,
    Calibrate,
    Test,
    All,
}

impl Chosen {
    /// Whether rows of `split` are among them.
    pub fn has(self, split: Split) -> bool {
        match self {
            Chosen::Tune => split == Split::Tune,
            Chosen::Calibrate => split == Split::Calibrate,
            Chosen::Test => split == Split::Test,
            Chosen::All => true,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Chosen::Tune => "tune",
            Chosen::Calibrate => "calibrate",
            Chosen::Test => "test",
            Chosen::All => "all",
        }
    }
}

/// The rows of a report, column by column, and the cascade that is judged.
#[derive(Debug)]
pub struct Rows {
    /// Names, labels, answers, scores and costs; no raw values.
    pub block: Block,
    /// With labels it is harm that counts, else disagreement with the last
    /// level.
    pub loss: Loss,
    /// For each level but the last, which of [`SCORES`] is compared with its
    /// threshold.
    pub kinds: Vec<ScoreKind>,
    /// The thresholds in use, one for each level but the last.
    pub thresholds: Vec<Threshold>,
    /// What of the trace is not among the rows, or not in the file.
    pub left_out: LeftOut,
}

/// What a report does not tell because the trace does not.
#[derive(Debug, Clone, Default)]
pub struct LeftOut {
    /// Rows of other splits.
    pub other_splits: usize,
    /// Rows without a label, where others have one.
    pub unlabelled: usize,
    pub has_names: bool,
    pub has_costs: bool,
    /// Which of [`SCORES`] there are.
    pub scores: [bool; 4],
}

impl Rows {
    /// Reads the chosen rows of a trace, judged with the thresholds of
    /// `manifest`.
    ///
    /// # Errors
    /// When the trace cannot be read, has one level only, or none of the chosen
    /// rows.
    pub fn read(source: &Source<'_>, manifest: &Manifest, chosen: Chosen) -> Result<Self> {
        let named = |error: biglittle::Error| error.context(source.trace.path().display());
        let (kinds, thresholds) = in_use(manifest).map_err(named)?;
        let (wanted, mut left_out) = wanted(source, &kinds);
        let mut all = Block::new(manifest.levels.len(), &vec![0; manifest.networks.len()]);
        source.for_each_block(wanted, |block| {
            let rows: Vec<_> =
                (0..block.rows).filter(|row| chosen.has(block.splits[*row])).collect();
            left_out.other_splits += block.rows - rows.len();
            append(&mut all, block, &rows);
            Ok(())
        })?;
        if all.rows == 0 {
            let (name, other) = (chosen.name(), left_out.other_splits);
            return Err(named(invalid(match chosen {
                Chosen::All => "has no rows: record it again, with samples".into(),
                _ => format!(
                    "has no rows of the split {name}, but {other} of others: choose with --split, \
                     such as --split all"
                ),
            })));
        }
        let labelled: Vec<_> = (0..all.rows).filter(|row| all.labels[*row].is_some()).collect();
        let loss = if labelled.is_empty() { Loss::Disagree } else { Loss::Harm };
        if loss == Loss::Harm && labelled.len() < all.rows {
            left_out.unlabelled = all.rows - labelled.len();
            let mut some = Block::new(manifest.levels.len(), &vec![0; manifest.networks.len()]);
            append(&mut some, &all, &labelled);
            all = some;
        }
        Ok(Rows { block: all, loss, kinds, thresholds, left_out })
    }

    pub fn len(&self) -> usize {
        self.block.rows
    }

    /// The number of the last level.
    pub fn last(&self) -> usize {
        self.block.levels.len() - 1
    }

    /// What is taken for the truth: the label, else the last level's answer.
    pub fn truth(&self, row: usize) -> Option<u32> {
        match self.loss {
            Loss::Harm => self.block.labels[row],
            Loss::Disagree => self.answer(row, self.last()),
        }
    }

    pub fn answer(&self, row: usize, level: usize) -> Option<u32> {
        self.block.levels[level].answers[row]
    }

    /// Whether the answer of `level` is the true one.
    pub fn is_right(&self, row: usize, level: usize) -> bool {
        let answer = self.answer(row, level);
        answer.is_some() && answer == self.truth(row)
    }

    /// Whether letting the answer of `level` stand is a loss.
    pub fn is_bad(&self, row: usize, level: usize) -> bool {
        let reference = self.answer(row, self.last());
        self.loss.is_bad(self.answer(row, level), reference, self.block.labels[row])
    }

    /// How sure `level` is of a row; not finite where it must escalate. The
    /// last level by the largest probability.
    pub fn score(&self, row: usize, level: usize) -> f32 {
        let kind = self.kinds.get(level).copied().unwrap_or(ScoreKind::MaxProbability);
        self.scores(level, kind).get(row).copied().unwrap_or(f32::NAN)
    }

    /// A level's column of one kind of score; empty where there is none.
    pub fn scores(&self, level: usize, kind: ScoreKind) -> &[f32] {
        &self.block.levels[level].scores[kind as usize]
    }

    /// The level from `first` on whose answer stands for a row.
    pub fn answering_level(&self, row: usize, first: usize) -> usize {
        let accepts = |level: &usize| self.thresholds[*level].accepts(self.score(row, *level));
        (first..self.last()).find(accepts).unwrap_or(self.last())
    }

    /// The mean over all rows of what `level` alone takes of `costs`.
    pub fn mean(&self, level: usize, cost: Cost) -> f64 {
        let column = cost.of(&self.block, level);
        column.iter().map(|value| *value as f64).sum::<f64>() / self.len().max(1) as f64
    }

    /// For each reason, the rows whose first answer can never be accepted.
    pub fn flaws(&self) -> Vec<(EscalationReason, usize)> {
        let mut counts: Vec<(EscalationReason, usize)> = Vec::new();
        for flaw in self.block.levels[0].flaws.iter().flatten() {
            match counts.iter_mut().find(|(found, _)| found == flaw) {
                Some((_, count)) => *count += 1,
                None => counts.push((*flaw, 1)),
            }
        }
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }
}

/// What a level takes for a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    Macs,
    CpuNs,
}

impl Cost {
    pub fn of(self, block: &Block, level: usize) -> &[u64] {
        match self {
            Cost::Macs => &block.levels[level].macs,
            Cost::CpuNs => &block.levels[level].cpu_ns,
        }
    }
}

fn in_use(manifest: &Manifest) -> Result<(Vec<ScoreKind>, Vec<Threshold>)> {
    let Some((_, levels)) = manifest.levels.split_last().filter(|(_, first)| !first.is_empty())
    else {
        return Err(invalid("has one level, which is no cascade: give a trace of two or more"));
    };
    let threshold = |level: &biglittle::bundle::LevelSpec| {
        level
            .threshold
            .ok_or_else(|| invalid(format!("its level {:?} has no threshold", level.name)))
    };
    let kinds = levels.iter().map(|level| ScoreKind::of(level.confidence)).collect();
    Ok((kinds, levels.iter().map(threshold).collect::<Result<_>>()?))
}

/// What there is of what a report can use; only the scores in use must be there.
fn wanted(source: &Source<'_>, kinds: &[ScoreKind]) -> (Wanted, LeftOut) {
    let trace = source.trace;
    let mut wanted = Wanted::default();
    let is_rescored = source.rescored.is_some();
    for kind in SCORES {
        if !is_rescored && (kinds.contains(&kind) || trace.has_level_column(kind.name())) {
            wanted = wanted.score(kind);
        }
    }
    wanted.names = trace.has_column("sample");
    wanted.flaws = !is_rescored && trace.has_level_column("flaw");
    wanted.costs = trace.has_costs();
    let left_out = LeftOut {
        has_names: wanted.names,
        has_costs: wanted.costs,
        scores: if is_rescored { [true; 4] } else { wanted.scores },
        ..LeftOut::default()
    };
    (wanted, left_out)
}

/// Adds some rows of a block, whatever columns it has.
fn append(all: &mut Block, block: &Block, rows: &[usize]) {
    fn pick<T: Clone>(to: &mut Vec<T>, from: &[T], rows: &[usize]) {
        if !from.is_empty() {
            to.extend(rows.iter().map(|row| from[*row].clone()));
        }
    }
    all.rows += rows.len();
    pick(&mut all.samples, &block.samples, rows);
    pick(&mut all.image_sha256, &block.image_sha256, rows);
    pick(&mut all.labels, &block.labels, rows);
    pick(&mut all.splits, &block.splits, rows);
    for (all, level) in all.levels.iter_mut().zip(&block.levels) {
        pick(&mut all.answers, &level.answers, rows);
        pick(&mut all.flaws, &level.flaws, rows);
        for (all, scores) in all.scores.iter_mut().zip(&level.scores) {
            pick(all, scores, rows);
        }
        pick(&mut all.macs, &level.macs, rows);
        pick(&mut all.cpu_ns, &level.cpu_ns, rows);
    }
}
