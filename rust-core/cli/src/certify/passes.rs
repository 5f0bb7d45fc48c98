//! The passes over a trace: count, prove, test.

use biglittle::bundle::Manifest;
use biglittle::calibrate::{
    Certificate, Evaluation, ExactRule, Loss, Losses, Method, Rows, Split, Target, TestResult,
    clopper_pearson, fixed_sequence, order_thresholds,
};
use biglittle::decision::ScoreHistogram;
use biglittle::{Result, Threshold};

use super::invalid;
use crate::trace::rows::{GroupIds, Source, append, split_key};
use crate::trace::{ScoreKind, Wanted};

/// What the first pass over a trace counts.
#[derive(Debug)]
pub struct Counted {
    /// Of tuning, calibration and test.
    pub rows: [u64; 3],
    /// Calibration rows that an earlier certificate, or the recorded test split,
    /// had.
    pub reused: u64,
    /// Calibration rows of which accepting the first level is bad.
    pub bad: u64,
    /// Calibration rows whose first level always escalates.
    pub unusable: u64,
    /// Stored scores that are NaN or infinite.
    pub not_finite: u64,
    /// Whether any row is in a group.
    pub has_groups: bool,
    /// How the first level's scores lie on the calibration rows.
    pub scores: ScoreHistogram,
}

/// The scores of all but the last level, and groups.
fn wanted(kinds: &[ScoreKind]) -> Wanted {
    let levels = &kinds[..kinds.len() - 1];
    levels.iter().fold(Wanted { groups: true, ..Wanted::default() }, |w, kind| w.score(*kind))
}

/// Counts rows, and refuses a loss that they do not allow. `range` is that of the
/// first level's scores.
pub fn count(
    source: &Source<'_>,
    kinds: &[ScoreKind],
    loss: Loss,
    before: &[Certificate],
    range: (f32, f32),
) -> Result<Counted> {
    let mut counted = Counted {
        rows: [0; 3],
        reused: 0,
        bad: 0,
        unusable: 0,
        not_finite: 0,
        has_groups: false,
        scores: ScoreHistogram::empty(range),
    };
    let meta = source.trace.meta();
    let same_data = |certificate: &&Certificate| certificate.data.sha256 == meta.data.sha256;
    let earlier: Vec<_> = before.iter().filter(same_data).map(|c| c.data.split).collect();
    let asks_keys = !earlier.is_empty() || source.split.is_some();
    let mut unlabelled = 0u64;
    let wanted = Wanted { names: asks_keys, ..wanted(kinds) };
    source.for_each_block(wanted, |block| {
        counted.has_groups |= block.groups.iter().any(Option::is_some);
        for level in &block.levels {
            counted.not_finite += level.not_finite;
        }
        for row in 0..block.rows {
            counted.rows[block.splits[row] as usize] += 1;
            if block.splits[row] != Split::Calibrate {
                continue;
            }
            let (first, last) = (&block.levels[0], &block.levels[block.levels.len() - 1]);
            let label = block.labels[row];
            unlabelled += u64::from(label.is_none());
            let score = first.scores[kinds[0] as usize][row];
            counted.unusable += u64::from(!score.is_finite());
            counted.scores.add(score);
            counted.bad += u64::from(loss.is_bad(first.answers[row], last.answers[row], label));
            if asks_keys {
                let key = split_key(block, row)?.as_bytes();
                let was_used = earlier.iter().any(|split| split.assign(key) != Split::Tune);
                let was_test = source.split.is_some() && meta.split.assign(key) == Split::Test;
                counted.reused += u64::from(was_used || was_test);
            }
        }
        Ok(())
    })?;
    let n = counted.rows[Split::Calibrate as usize];
    if loss.needs_labels() && unlabelled > 0 {
        return Err(invalid(format!(
            "{unlabelled} of the {n} calibration rows have no label, which the loss harm needs: \
             add labels, or calibrate with --loss disagree, which needs none"
        )));
    }
    Ok(counted)
}

/// Thresholds that keep a promise.
#[derive(Debug)]
pub struct Proven {
    pub thresholds: Vec<Threshold>,
    pub method: Method,
    pub n: u64,
    pub k: u64,
}

/// Finds the thresholds of each target on the calibration split.
pub fn prove(
    source: &Source<'_>,
    kinds: &[ScoreKind],
    loss: Loss,
    targets: &[Target],
    counted: &Counted,
    manifest: &Manifest,
) -> Result<Vec<Proven>> {
    if kinds.len() == 2 && !counted.has_groups {
        return exact(source, kinds, loss, targets, counted);
    }
    let rows = collect(source, kinds, Split::Calibrate, counted.has_groups)?;
    // Groups of one are rows.
    if kinds.len() == 2 && !rows.has_groups() {
        return exact(source, kinds, loss, targets, counted);
    }
    let tuning = collect(source, kinds, Split::Tune, counted.has_groups)?;
    let sequence = order_thresholds(&tuning, loss, &level_macs(manifest))?;
    let prove = |target: &Target| {
        let found = fixed_sequence(&rows, loss, *target, &sequence)?;
        let method = match found.losses.is_binary {
            true => Method::SequenceBinomial,
            false => Method::SequenceHoeffdingBentkus,
        };
        let Losses { n, whole: k, .. } = found.losses;
        Ok(Proven { thresholds: found.thresholds, method, n, k })
    };
    targets.iter().map(prove).collect()
}

fn exact(
    source: &Source<'_>,
    kinds: &[ScoreKind],
    loss: Loss,
    targets: &[Target],
    counted: &Counted,
) -> Result<Vec<Proven>> {
    let n = counted.rows[Split::Calibrate as usize];
    let mut rules: Vec<_> = targets.iter().map(|target| ExactRule::new(*target, n)).collect();
    source.for_each_block(wanted(kinds), |block| {
        let mut rows = Rows::default();
        append(&mut rows, block, Split::Calibrate, kinds, None);
        for row in 0..rows.len() {
            let (score, is_bad) = (rows.levels[0].scores[row], rows.is_bad(row, 0, loss));
            rules.iter_mut().for_each(|rule| rule.push(score, is_bad));
        }
        Ok(())
    })?;
    let proven = |rule: ExactRule| {
        let found = rule.finish()?;
        let thresholds = vec![found.threshold];
        Ok(Proven { thresholds, method: Method::Exact, n: found.n, k: found.k })
    };
    rules.into_iter().map(proven).collect()
}

/// The MACs of reaching each level.
fn level_macs(manifest: &Manifest) -> Vec<f64> {
    let macs = |id: &String| manifest.network(id).map_or(0, |network| network.macs);
    let levels = manifest.levels.iter();
    levels.map(|level| level.networks.iter().map(macs).sum::<u64>() as f64).collect()
}

/// All rows of a split.
fn collect(
    source: &Source<'_>,
    kinds: &[ScoreKind],
    split: Split,
    has_groups: bool,
) -> Result<Rows> {
    let mut rows = Rows::default();
    let mut groups = GroupIds::default();
    source.for_each_block(wanted(kinds), |block| {
        append(&mut rows, block, split, kinds, has_groups.then_some(&mut groups));
        Ok(())
    })?;
    Ok(rows)
}

/// What comes of each setting on the test split; `None` where that is empty.
pub fn test(
    source: &Source<'_>,
    kinds: &[ScoreKind],
    loss: Loss,
    settings: &[Vec<Threshold>],
    counted: &Counted,
) -> Result<Vec<Option<TestResult>>> {
    if counted.rows[Split::Test as usize] == 0 {
        return Ok(vec![None; settings.len()]);
    }
    let last = kinds.len() - 1;
    let never = vec![Threshold::ALWAYS_ESCALATE; last];
    let mut found = vec![Sums::default(); settings.len() + 1];
    let mut unlabelled = 0;
    let mut add = |rows: &Rows| {
        unlabelled += rows.labels.iter().filter(|label| label.is_none()).count();
        for (sums, thresholds) in found.iter_mut().zip(settings.iter().chain([&never])) {
            sums.add(&rows.evaluate(thresholds, loss));
        }
    };
    if counted.has_groups {
        add(&collect(source, kinds, Split::Test, true)?);
    } else {
        source.for_each_block(wanted(kinds), |block| {
            let mut rows = Rows::default();
            append(&mut rows, block, Split::Test, kinds, None);
            if !rows.is_empty() {
                add(&rows);
            }
            Ok(())
        })?;
    }
    // The reference answers everything where nothing is accepted before.
    let reference = found.pop().expect("one more than the settings");
    let labelled = unlabelled == 0;
    let result = |sums: &Sums| TestResult {
        n: sums.n,
        bad: sums.bad,
        loss: sums.sum / sums.n as f64,
        loss_ci95: sums.is_binary.then(|| clopper_pearson(sums.bad, sums.n, 0.05)),
        escalation: sums.escalated as f64 / sums.rows as f64,
        accuracy: labelled.then(|| sums.right as f64 / sums.rows as f64),
        reference_accuracy: labelled.then(|| reference.right as f64 / sums.rows as f64),
    };
    Ok(found.iter().map(|sums| Some(result(sums))).collect())
}

/// Evaluations of blocks, added up.
#[derive(Debug, Clone)]
struct Sums {
    rows: u64,
    n: u64,
    bad: u64,
    sum: f64,
    is_binary: bool,
    escalated: u64,
    right: u64,
}

impl Default for Sums {
    fn default() -> Self {
        Sums { rows: 0, n: 0, bad: 0, sum: 0.0, is_binary: true, escalated: 0, right: 0 }
    }
}

impl Sums {
    fn add(&mut self, found: &Evaluation) {
        self.rows += found.rows;
        self.n += found.losses.n;
        self.bad += found.losses.whole;
        self.sum += found.losses.sum;
        self.is_binary &= found.losses.is_binary;
        self.escalated += found.reached[1];
        self.right += found.right;
    }
}
