//! Which networks, in which order, judged how: every pair, triple and committee
//! of the pool, each at the lowest thresholds that keep the promise.
//!
//! Thresholds come from the calibration split (with three levels, in an order
//! that the tuning split gives), figures from the test split. Choosing among
//! many is a use of the test split: the winner is certified on new data.

mod pool;

use std::collections::BTreeMap;

use biglittle::calibrate::{
    ExactRule, Loss, Rows, Split, Target, clopper_pearson, fixed_sequence, order_thresholds,
};
use biglittle::{Error, ErrorKind, Result, Threshold};
use serde::Serialize;

use crate::trace::ScoreKind;
use pool::Answers;
pub use pool::Pool;

/// What networks cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Cost {
    /// Multiply-accumulates: a model, the same everywhere
    Macs,
    /// CPU nanoseconds, measured where the trace was recorded
    Cpu,
}

/// What is searched for.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    pub loss: Loss,
    pub target: Target,
    pub cost: Cost,
}

/// A level of a candidate.
#[derive(Debug, Clone, Serialize)]
pub struct Level {
    /// The networks that run at this level.
    pub networks: Vec<String>,
    /// Whether it answers with the mean over all networks so far.
    pub committee: bool,
}

/// One way to use the pool, and what it does on the test split.
#[derive(Debug, Clone, Serialize)]
pub struct Candidate {
    pub levels: Vec<Level>,
    /// The confidence of all levels but the last; null for one level.
    pub confidence: Option<&'static str>,
    pub thresholds: Vec<Threshold>,
    /// The cost a sample.
    pub cost: f64,
    /// The cost of its last level alone (with all networks of a committee).
    pub reference_cost: f64,
    /// The share of test samples that the first level did not answer.
    pub escalation: f64,
    /// The mean loss against its own last level.
    pub loss: f64,
    pub accuracy: Option<f64>,
    /// The exact (Clopper-Pearson) 95 % interval of the accuracy.
    pub accuracy_ci95: Option<[f64; 2]>,
    /// Whether none is both as accurate and cheaper, or as cheap and more
    /// accurate.
    pub on_front: bool,
}

/// What a search found: the cheapest first.
#[derive(Debug, Serialize)]
pub struct Found {
    pub cost: Cost,
    pub loss: Loss,
    pub eps: f64,
    pub delta: f64,
    pub calibration_rows: usize,
    pub test_rows: usize,
    pub candidates: Vec<Candidate>,
}

/// A way to use the pool: for each level its own networks and those whose mean
/// it answers with.
struct Plan {
    own: Vec<Vec<usize>>,
    answering: Vec<Vec<usize>>,
}

/// Tries everything. `progress` is told how many of how many ways are done.
pub fn search(
    pool: &Pool,
    request: Request,
    mut progress: impl FnMut(usize, usize),
) -> Result<Found> {
    let (calibration_rows, unlabelled) = pool.count(Split::Calibrate);
    if request.loss.needs_labels() && unlabelled > 0 {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!(
                "{unlabelled} of the {calibration_rows} calibration rows have no label, which the \
                 loss harm needs: search with --loss disagree"
            ),
        ));
    }
    let (test_rows, test_unlabelled) = pool.count(Split::Test);
    if test_rows == 0 {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            "the test split is empty: record a trace with one",
        ));
    }
    let mut order: Vec<usize> = (0..pool.networks.len()).collect();
    order.sort_by(|a, b| {
        network_cost(pool, *a, request).total_cmp(&network_cost(pool, *b, request))
    });
    let plans = plans(&order);
    let mut answers: BTreeMap<Vec<usize>, Answers> = BTreeMap::new();
    for plan in &plans {
        for members in &plan.answering {
            if !answers.contains_key(members) {
                answers.insert(members.clone(), pool.answers(members));
            }
        }
    }
    let mut found = Vec::new();
    for (index, plan) in plans.iter().enumerate() {
        progress(index, plans.len());
        let levels: Vec<&Answers> =
            plan.answering.iter().map(|members| &answers[members]).collect();
        let labelled = test_unlabelled == 0;
        if levels.len() == 1 {
            found.push(judge(pool, request, plan, &levels, None, Vec::new(), labelled));
            continue;
        }
        for kind in Pool::kinds(levels[0]) {
            if !levels[..levels.len() - 1].iter().all(|level| level.has(kind)) {
                continue;
            }
            let thresholds = thresholds(pool, request, plan, &levels, kind)?;
            found.push(judge(pool, request, plan, &levels, Some(kind), thresholds, labelled));
        }
    }
    mark_front(&mut found);
    found.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    let (eps, delta) = (request.target.eps(), request.target.delta());
    let (cost, loss) = (request.cost, request.loss);
    Ok(Found { cost, loss, eps, delta, calibration_rows, test_rows, candidates: found })
}

/// Every network and committee alone, every pair and triple, from cheap to dear.
fn plans(order: &[usize]) -> Vec<Plan> {
    let mut plans = Vec::new();
    let mut plan = |own: Vec<Vec<usize>>, answering: Vec<Vec<usize>>| {
        plans.push(Plan { own, answering });
    };
    for (i, &a) in order.iter().enumerate() {
        plan(vec![vec![a]], vec![vec![a]]);
        for (j, &b) in order.iter().enumerate().skip(i + 1) {
            plan(vec![vec![a, b]], vec![vec![a, b]]);
            plan(vec![vec![a], vec![b]], vec![vec![a], vec![b]]);
            plan(vec![vec![a], vec![b]], vec![vec![a], vec![a, b]]);
            for &c in &order[j + 1..] {
                let own = || vec![vec![a], vec![b], vec![c]];
                plan(vec![vec![a, b, c]], vec![vec![a, b, c]]);
                plan(own(), vec![vec![a], vec![b], vec![c]]);
                plan(own(), vec![vec![a], vec![a, b], vec![a, b, c]]);
                plan(vec![vec![a], vec![b, c]], vec![vec![a], vec![a, b, c]]);
            }
        }
    }
    plans
}

fn network_cost(pool: &Pool, network: usize, request: Request) -> f64 {
    match request.cost {
        Cost::Macs => pool.networks[network].macs(),
        Cost::Cpu => pool.networks[network].cpu_ns,
    }
}

/// The cost of reaching each level.
fn level_costs(pool: &Pool, plan: &Plan, request: Request) -> Vec<f64> {
    let cost = |own: &Vec<usize>| own.iter().map(|n| network_cost(pool, *n, request)).sum();
    plan.own.iter().map(cost).collect()
}

/// The lowest thresholds that keep the promise.
fn thresholds(
    pool: &Pool,
    request: Request,
    plan: &Plan,
    levels: &[&Answers],
    kind: ScoreKind,
) -> Result<Vec<Threshold>> {
    let Request { loss, target, .. } = request;
    let rows = pool.rows(levels, kind, Split::Calibrate);
    if levels.len() == 2 && !rows.has_groups() {
        let mut rule = ExactRule::new(target, rows.len() as u64);
        for row in 0..rows.len() {
            rule.push(rows.levels[0].scores[row], rows.is_bad(row, 0, loss));
        }
        return Ok(vec![rule.finish()?.threshold]);
    }
    let tuning = pool.rows(levels, kind, Split::Tune);
    let sequence = order_thresholds(&tuning, loss, &level_costs(pool, plan, request))?;
    Ok(fixed_sequence(&rows, loss, target, &sequence)?.thresholds)
}

/// What a way does on the test split.
fn judge(
    pool: &Pool,
    request: Request,
    plan: &Plan,
    levels: &[&Answers],
    kind: Option<ScoreKind>,
    thresholds: Vec<Threshold>,
    labelled: bool,
) -> Candidate {
    let rows: Rows = pool.rows(levels, kind.unwrap_or(ScoreKind::Margin), Split::Test);
    let found = rows.evaluate(&thresholds, request.loss);
    let costs = level_costs(pool, plan, request);
    let total: f64 = found.reached.iter().zip(&costs).map(|(rows, cost)| *rows as f64 * cost).sum();
    let n = found.rows as f64;
    let level = |(own, answering): (&Vec<usize>, &Vec<usize>)| Level {
        networks: own.iter().map(|network| pool.networks[*network].name.clone()).collect(),
        committee: answering.len() > own.len(),
    };
    let last = &plan.answering[plan.answering.len() - 1];
    Candidate {
        levels: plan.own.iter().zip(&plan.answering).map(level).collect(),
        confidence: kind.map(ScoreKind::name),
        thresholds,
        cost: total / n,
        reference_cost: last.iter().map(|network| network_cost(pool, *network, request)).sum(),
        escalation: found.reached.get(1).map_or(0.0, |reached| *reached as f64 / n),
        loss: found.losses.mean(),
        accuracy: labelled.then(|| found.right as f64 / n),
        accuracy_ci95: labelled.then(|| clopper_pearson(found.right, found.rows, 0.05)),
        on_front: false,
    }
}

/// Marks what nothing beats in cost and accuracy; without labels, in cost and
/// loss.
fn mark_front(candidates: &mut [Candidate]) {
    let worth = |c: &Candidate| c.accuracy.unwrap_or(-c.loss);
    let points: Vec<(f64, f64)> = candidates.iter().map(|c| (c.cost, worth(c))).collect();
    for (candidate, (cost, worth)) in candidates.iter_mut().zip(&points) {
        let is_beaten = points.iter().any(|(other_cost, other_worth)| {
            other_cost <= cost && other_worth >= worth && (other_cost < cost || other_worth > worth)
        });
        candidate.on_front = !is_beaten;
    }
}
