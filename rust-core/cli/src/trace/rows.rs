//! From the blocks of a trace to the rows that calibration takes.

use std::collections::HashMap;

use biglittle::Result;
use biglittle::bundle::{LevelSpec, Manifest};
use biglittle::calibrate::{LevelRows, Rows, Split, SplitSpec};
use biglittle::decision::{Confidence, OutputSpec};

use super::answer::{Judge, LevelPlan};
use super::block::{Block, ScoreKind};
use super::invalid;
use super::reader::{Trace, Wanted};

/// Numbers for groups, in the order in which they come.
#[derive(Debug, Default)]
pub struct GroupIds {
    ids: HashMap<String, u32>,
    next: u32,
}

impl GroupIds {
    /// A row without a group is one of its own.
    pub fn id(&mut self, group: Option<&str>) -> u32 {
        let next = self.next;
        let id = match group {
            Some(group) => *self.ids.entry(group.to_owned()).or_insert(next),
            None => next,
        };
        self.next += u32::from(id == next);
        id
    }
}

/// Adds the rows of `split` in `block` to `rows`, with the scores of `kinds`, one
/// a level; with groups if there are `groups` to number them.
pub fn append(
    rows: &mut Rows,
    block: &Block,
    split: Split,
    kinds: &[ScoreKind],
    mut groups: Option<&mut GroupIds>,
) {
    rows.levels.resize_with(block.levels.len(), LevelRows::default);
    let last = block.levels.len() - 1;
    for row in (0..block.rows).filter(|row| block.splits[*row] == split) {
        rows.labels.push(block.labels[row]);
        if let Some(groups) = &mut groups {
            rows.groups.push(groups.id(block.groups.get(row).and_then(Option::as_deref)));
        }
        for (number, (level, to)) in block.levels.iter().zip(&mut rows.levels).enumerate() {
            to.answers.push(level.answers[row]);
            if number < last {
                to.scores.push(level.scores[kinds[number] as usize][row]);
            }
        }
    }
}

/// A trace as it would be with another division, temperature or norm.
pub struct Source<'a> {
    pub trace: &'a Trace,
    /// Another division than the recorded one.
    pub split: Option<SplitSpec>,
    /// The manifest whose outputs and confidences count, where they are others
    /// than those that were recorded.
    pub rescored: Option<Manifest>,
}

impl<'a> Source<'a> {
    /// The trace with the scores that `manifest` asks for.
    ///
    /// # Errors
    /// When they are not the recorded ones and there are no raw values to make
    /// them of.
    pub fn scored_by(trace: &'a Trace, manifest: &Manifest) -> Result<Self> {
        let meta = trace.meta();
        let has_scores = has_scores(&meta.manifest, &meta.norm_orders, manifest);
        if !has_scores && !meta.has_outputs {
            return Err(invalid(
                "has no raw values, but the bundle's temperature or norm is not the recorded one: \
                 record it again with this bundle",
            ));
        }
        Ok(Source { trace, split: None, rescored: (!has_scores).then(|| manifest.clone()) })
    }

    /// Hands all blocks to `take`, divided and scored anew where that is asked
    /// for.
    pub fn for_each_block(
        &self,
        mut wanted: Wanted,
        mut take: impl FnMut(&mut Block) -> Result<()>,
    ) -> Result<()> {
        wanted.names |= self.split.is_some();
        wanted.outputs |= self.rescored.is_some();
        let mut rescore = match &self.rescored {
            Some(manifest) => Some(Rescore::new(manifest, self.trace.meta().labels.len())?),
            None => None,
        };
        self.trace.for_each_block(wanted, |_, block| {
            if let Some(split) = &self.split {
                divide(block, split)?;
            }
            if let Some(rescore) = &mut rescore {
                rescore.run(block);
            }
            take(block)
        })
    }
}

/// Whether the recorded scores are those that `manifest` asks for.
fn has_scores(recorded: &Manifest, orders: &[f32], manifest: &Manifest) -> bool {
    let same_norm = |(level, order): (&LevelSpec, &f32)| match level.confidence {
        Confidence::MaxLogitPNorm { p } => p == *order,
        _ => true,
    };
    recorded.models_sha256() == manifest.models_sha256()
        && manifest.levels.iter().zip(orders).all(same_norm)
}

/// What a row is divided by: its group, else its picture.
pub fn split_key(block: &Block, row: usize) -> Result<&str> {
    let group = block.groups.get(row).and_then(Option::as_deref);
    group.or(block.image_sha256.get(row).map(String::as_str)).ok_or_else(|| {
        invalid(
            "has neither a column group nor image_sha256 to divide rows by: leave out --seed and \
             --split, and calibrate without a bundle that has certificates",
        )
    })
}

fn divide(block: &mut Block, split: &SplitSpec) -> Result<()> {
    for row in 0..block.rows {
        let assigned = split.assign(split_key(block, row)?.as_bytes());
        block.splits[row] = assigned;
    }
    Ok(())
}

/// Judges raw values anew.
struct Rescore {
    specs: Vec<OutputSpec>,
    plans: Vec<LevelPlan>,
    orders: Vec<f32>,
    judge: Judge,
}

impl Rescore {
    fn new(manifest: &Manifest, labels: usize) -> Result<Self> {
        let order = |level: &LevelSpec| super::meta::norm_order(level.confidence);
        Ok(Rescore {
            specs: manifest.networks.iter().map(|network| network.output.clone()).collect(),
            plans: LevelPlan::of(manifest)?,
            orders: manifest.levels.iter().map(order).collect(),
            judge: Judge::new(labels),
        })
    }

    fn run(&mut self, block: &mut Block) {
        let specs: Vec<_> = self.specs.iter().collect();
        for level in &mut block.levels {
            level.answers.clear();
            level.flaws.clear();
            level.scores.iter_mut().for_each(Vec::clear);
        }
        for row in 0..block.rows {
            let networks = &block.networks;
            let output = |network: usize| networks[network].output(row);
            for (number, level) in block.levels.iter_mut().enumerate() {
                let plan = &self.plans[number];
                let answer = self.judge.answer(plan, &specs, output, self.orders[number]);
                level.answers.push(answer.label);
                level.flaws.push(answer.flaw);
                for (scores, score) in level.scores.iter_mut().zip(answer.scores) {
                    scores.push(score);
                }
            }
        }
    }
}
