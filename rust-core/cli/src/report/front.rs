//! Accuracy against cost, over every pair and committee that the trace has.

use std::collections::BTreeSet;

use biglittle::Result;
use biglittle::bundle::{LevelAnswer, Manifest};
use biglittle::calibrate::clopper_pearson;

use super::thinned;
use crate::rows::{Chosen, Rows};
use crate::trace::{Answer, Judge, LevelPlan, ScoreKind, Source, Wanted, norm_order};

/// The most raw values that committees are computed from; a trace with more has
/// its levels compared only.
const MOST_VALUES: usize = 40_000_000;
/// The most networks whose committees are formed.
const MOST_NETWORKS: usize = 4;
/// Thresholds tried of each pair, about.
const STEPS: usize = 150;

/// One or several networks that answer together.
struct Member {
    name: String,
    networks: BTreeSet<usize>,
    kind: ScoreKind,
    right: Vec<bool>,
    scores: Vec<f32>,
}

/// What a configuration is worth at one setting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrontPoint {
    /// Mean MACs a row.
    pub macs: f64,
    pub right: u64,
    pub escalated: usize,
    /// What the first score has to beat; `None` of one alone.
    pub threshold: Option<f32>,
}

/// A member alone, or two with a threshold between them.
#[derive(Debug)]
pub struct Configuration {
    pub name: String,
    pub score: Option<ScoreKind>,
    /// From the cheapest on; one of a member alone.
    pub points: Vec<FrontPoint>,
}

/// All configurations, and the best of them.
#[derive(Debug)]
pub struct Front {
    pub rows: u64,
    pub configurations: Vec<Configuration>,
    /// The points that no other beats in both accuracy and MACs, each with the
    /// number of its configuration, from the cheapest on.
    pub best: Vec<(usize, FrontPoint)>,
    /// The MACs of the last level alone.
    pub reference_macs: f64,
    /// Whether committees that are no level were formed from raw values.
    pub has_committees: bool,
}

impl Front {
    /// The front over `rows` of a trace. `None` where the trace has one network
    /// only.
    pub fn of(
        source: &Source<'_>,
        manifest: &Manifest,
        rows: &Rows,
        chosen: Chosen,
    ) -> Result<Option<Self>> {
        let (trace, meta) = (source.trace, source.trace.meta());
        let macs: Vec<f64> = manifest.networks.iter().map(|n| n.macs as f64).collect();
        let mut members = levels(manifest, rows)?;
        let reference = members[rows.last()].networks.clone();
        let values: usize = manifest
            .networks
            .iter()
            .map(|network| network.output.output_count(meta.labels.len()))
            .sum();
        let has_committees = meta.has_outputs
            && manifest.networks.len() <= MOST_NETWORKS
            && trace.rows().saturating_mul(values) <= MOST_VALUES;
        if has_committees {
            add_committees(source, manifest, rows, chosen, &mut members)?;
        }
        let cost = |networks: &BTreeSet<usize>| networks.iter().map(|n| macs[*n]).sum::<f64>();
        let mut configurations: Vec<_> =
            members.iter().map(|member| alone(member, cost(&member.networks))).collect();
        for first in &members {
            for second in &members {
                let more: BTreeSet<_> =
                    second.networks.difference(&first.networks).copied().collect();
                let little = cost(&first.networks);
                if !more.is_empty() && little < cost(&second.networks) {
                    configurations.push(pair(first, second, little, cost(&more)));
                }
            }
        }
        if members.len() < 2 {
            return Ok(None);
        }
        let best = best(&configurations);
        Ok(Some(Front {
            rows: rows.len() as u64,
            configurations,
            best,
            reference_macs: cost(&reference),
            has_committees,
        }))
    }

    /// The cheapest point of the front that has at least `right` right rows.
    pub fn cheapest(&self, right: f64) -> Option<&(usize, FrontPoint)> {
        self.best.iter().find(|(_, point)| point.right as f64 >= right)
    }

    pub fn accuracy(&self, point: &FrontPoint) -> f64 {
        point.right as f64 / self.rows as f64
    }

    /// The exact (Clopper-Pearson) 95 % interval of a point's accuracy.
    pub fn interval(&self, point: &FrontPoint) -> [f64; 2] {
        clopper_pearson(point.right, self.rows, 0.05)
    }
}

/// The levels as they are.
fn levels(manifest: &Manifest, rows: &Rows) -> Result<Vec<Member>> {
    let plans = LevelPlan::of(manifest)?;
    let member = |(number, plan): (usize, &LevelPlan)| {
        let level = &manifest.levels[number];
        Member {
            name: match level.answer {
                LevelAnswer::Own => level.name.clone(),
                LevelAnswer::Committee => format!("{} (committee)", level.name),
            },
            networks: plan.before.iter().chain(&plan.own).copied().collect(),
            kind: rows.kinds.get(number).copied().unwrap_or(ScoreKind::Margin),
            right: (0..rows.len()).map(|row| rows.is_right(row, number)).collect(),
            scores: (0..rows.len()).map(|row| rows.score(row, number)).collect(),
        }
    };
    Ok(plans.iter().enumerate().map(member).collect())
}

/// Every network, pair and triple that is no level yet.
fn add_committees(
    source: &Source<'_>,
    manifest: &Manifest,
    rows: &Rows,
    chosen: Chosen,
    members: &mut Vec<Member>,
) -> Result<()> {
    let meta = source.trace.meta();
    let networks = &manifest.networks;
    let known: Vec<BTreeSet<usize>> = members.iter().map(|m| m.networks.clone()).collect();
    let sets = (1u32..1 << networks.len()).map(|bits| {
        (0..networks.len()).filter(|n| bits >> n & 1 == 1).collect::<BTreeSet<usize>>()
    });
    let new: Vec<_> = sets.filter(|set| set.len() <= 3 && !known.contains(set)).collect();
    let mut plans = Vec::new();
    for set in &new {
        let by_label = set.len() > 1 || set.iter().any(|n| networks[*n].output.merges_classes());
        plans.push(LevelPlan { before: Vec::new(), own: set.iter().copied().collect(), by_label });
        let names: Vec<_> = set.iter().map(|n| networks[*n].id.as_str()).collect();
        members.push(Member {
            name: names.join(" + "),
            networks: set.clone(),
            kind: rows.kinds[0],
            right: Vec::new(),
            scores: Vec::new(),
        });
    }
    let added = members.len() - new.len();
    let specs: Vec<_> = networks.iter().map(|network| &network.output).collect();
    let mut judge = Judge::new(meta.labels.len());
    let (mut kept, p) = (0, norm_order(manifest.levels[0].confidence));
    source.for_each_block(Wanted { outputs: true, ..Wanted::default() }, |block| {
        for row in 0..block.rows {
            let is_labelled = rows.left_out.unlabelled == 0 || block.labels[row].is_some();
            if !chosen.has(block.splits[row]) || !is_labelled {
                continue;
            }
            for (member, plan) in members[added..].iter_mut().zip(&plans) {
                let output = |n: usize| {
                    let values = block.networks[n].output(row);
                    // One that failed has NaN, and then no answer.
                    if values.iter().all(|v| v.is_nan()) { &[] } else { values }
                };
                let Answer { label, scores, .. } = judge.answer(plan, &specs, output, p);
                member.right.push(label.is_some() && label == rows.truth(kept));
                member.scores.push(scores[member.kind as usize]);
            }
            kept += 1;
        }
        Ok(())
    })
}

fn alone(member: &Member, macs: f64) -> Configuration {
    let right = member.right.iter().filter(|right| **right).count() as u64;
    let point = FrontPoint { macs, right, escalated: 0, threshold: None };
    Configuration { name: member.name.clone(), score: None, points: vec![point] }
}

/// `first`, then `second` where it is unsure: `more` MACs.
fn pair(first: &Member, second: &Member, macs: f64, more: f64) -> Configuration {
    let count = first.right.len();
    let mut order: Vec<usize> = (0..count).filter(|r| first.scores[*r].is_finite()).collect();
    order.sort_by(|a, b| first.scores[*b].total_cmp(&first.scores[*a]));
    let mut right = second.right.iter().filter(|right| **right).count();
    let mut escalated = count;
    let mut points = Vec::new();
    let same = |a: &usize, b: &usize| first.scores[*a] == first.scores[*b];
    for rows in order.chunk_by(same) {
        let threshold = Some(first.scores[rows[0]]);
        points.push((right, escalated, threshold));
        for row in rows {
            right = right + usize::from(first.right[*row]) - usize::from(second.right[*row]);
        }
        escalated -= rows.len();
    }
    points.push((right, escalated, Some(f32::NEG_INFINITY)));
    points.reverse();
    let point = |at: usize| {
        let (right, escalated, threshold) = points[at];
        let rate = escalated as f64 / count.max(1) as f64;
        FrontPoint { macs: macs + rate * more, right: right as u64, escalated, threshold }
    };
    Configuration {
        name: format!("{} → {}", first.name, second.name),
        score: Some(first.kind),
        points: thinned(points.len(), STEPS).into_iter().map(point).collect(),
    }
}

/// What no other point beats.
fn best(configurations: &[Configuration]) -> Vec<(usize, FrontPoint)> {
    let of = |(number, configuration): (usize, &Configuration)| {
        configuration.points.iter().map(move |point| (number, *point)).collect::<Vec<_>>()
    };
    let mut all: Vec<_> = configurations.iter().enumerate().flat_map(of).collect();
    // Of equals the simpler one: those alone come first.
    all.sort_by(|a, b| a.1.macs.total_cmp(&b.1.macs).then(b.1.right.cmp(&a.1.right)));
    let mut most = None;
    all.retain(|(_, point)| {
        let is_better = most.is_none_or(|right| point.right > right);
        if is_better {
            most = Some(point.right);
        }
        is_better
    });
    all
}
