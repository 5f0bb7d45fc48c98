//! All networks of several traces, on the same rows.

use biglittle::bundle::NetworkSpec;
use biglittle::calibrate::{LevelRows, Rows, Split};
use biglittle::decision::OutputSpec;
use biglittle::{Error, ErrorKind, Result};

use crate::trace::rows::GroupIds;
use crate::trace::{Answer, Block, Judge, LevelPlan, SCORES, ScoreKind, Trace, Wanted, norm_order};

/// A network of the pool.
#[derive(Debug, Clone)]
pub struct Network {
    /// Its id, with the bundle's name before it where others have the same.
    pub name: String,
    spec: NetworkSpec,
    bundle: String,
    /// The order of its `max_logit_p_norm`.
    order: f32,
    /// The mean CPU time of one run with its preprocessing.
    pub cpu_ns: f64,
    /// Its raw values, a row after another.
    outputs: Vec<f32>,
}

impl Network {
    pub fn macs(&self) -> f64 {
        self.spec.macs as f64
    }

    fn output(&self, row: usize, labels: usize) -> &[f32] {
        let width = self.spec.output.output_count(labels);
        &self.outputs[row * width..][..width]
    }

    /// Whether `other` gives the same raw values and reads them alike.
    fn is(&self, other: &NetworkSpec) -> bool {
        let (own, other) = (&self.spec, other);
        own.file.sha256 == other.file.sha256
            && own.input == other.input
            && own.output == other.output
    }
}

/// What one network, or the mean of several, answers to every row.
#[derive(Debug, Clone)]
pub struct Answers {
    labels: Vec<Option<u32>>,
    scores: [Vec<f32>; 4],
}

impl Answers {
    /// Whether any answer has a score of this kind.
    pub fn has(&self, kind: ScoreKind) -> bool {
        self.scores[kind as usize].iter().any(|score| !score.is_nan())
    }
}

/// Networks and rows that all traces share.
pub struct Pool {
    pub networks: Vec<Network>,
    label_count: usize,
    labels: Vec<Option<u32>>,
    splits: Vec<Split>,
    groups: Vec<u32>,
}

impl Pool {
    /// Joins traces of the same data set.
    ///
    /// # Errors
    /// When they are of other data, labels or splits, or lack raw values.
    pub fn open(traces: &[Trace]) -> Result<Self> {
        let first = traces[0].meta();
        let mut pool = Pool {
            networks: Vec::new(),
            label_count: first.labels.len(),
            labels: Vec::new(),
            splits: Vec::new(),
            groups: Vec::new(),
        };
        for (index, trace) in traces.iter().enumerate() {
            let meta = trace.meta();
            let same = [
                (meta.data.sha256 == first.data.sha256, "other data"),
                (meta.labels == first.labels, "other labels"),
                (meta.split == first.split, "another division into splits"),
            ];
            let wrong = same.iter().find(|(is_same, _)| !is_same).map(|(_, what)| *what);
            let wrong = wrong.or((!meta.has_outputs).then_some("no raw values"));
            if let Some(what) = wrong {
                return Err(invalid(format!(
                    "has {what} than {}: record all traces on the same data, with raw values",
                    traces[0].path().display()
                ))
                .context(trace.path().display()));
            }
            pool.add(trace, index == 0)?;
        }
        pool.name();
        Ok(pool)
    }

    fn add(&mut self, trace: &Trace, is_first: bool) -> Result<()> {
        let meta = trace.meta();
        let is_new = |spec: &NetworkSpec| !self.networks.iter().any(|network| network.is(spec));
        let order = |id: &String| {
            let level = meta.manifest.levels.iter().find(|level| level.networks.contains(id));
            norm_order(level.map_or_else(Default::default, |level| level.confidence))
        };
        let new: Vec<(usize, Network)> = meta
            .manifest
            .networks
            .iter()
            .enumerate()
            .filter(|(_, spec)| is_new(spec))
            .map(|(index, spec)| {
                let (name, bundle) = (spec.id.clone(), meta.manifest.name.clone());
                let (spec, order) = (spec.clone(), order(&spec.id));
                let outputs = Vec::new();
                (index, Network { name, spec, bundle, order, cpu_ns: 0.0, outputs })
            })
            .collect();
        let mut new = new;
        let wanted = Wanted { groups: is_first, costs: true, outputs: true, ..Wanted::default() };
        let mut ids = GroupIds::default();
        let mut has_groups = false;
        trace.for_each_block(wanted, |_, block: &mut Block| {
            for (index, network) in &mut new {
                let column = &block.networks[*index];
                network.outputs.extend_from_slice(&column.outputs);
                network.cpu_ns += column.cpu_ns.iter().sum::<u64>() as f64;
            }
            if is_first {
                self.labels.extend_from_slice(&block.labels);
                self.splits.extend_from_slice(&block.splits);
                for row in 0..block.rows {
                    let group = block.groups.get(row).and_then(Option::as_deref);
                    has_groups |= group.is_some();
                    self.groups.push(ids.id(group));
                }
            }
            Ok(())
        })?;
        if is_first && !has_groups {
            self.groups.clear();
        }
        if trace.rows() != self.labels.len() {
            return Err(invalid(format!(
                "has {} rows, but the first trace has {}: record all traces on the same data",
                trace.rows(),
                self.labels.len()
            ))
            .context(trace.path().display()));
        }
        let rows = self.labels.len() as f64;
        self.networks.extend(
            new.into_iter()
                .map(|(_, network)| Network { cpu_ns: network.cpu_ns / rows, ..network }),
        );
        Ok(())
    }

    /// Puts the bundle's name before ids that several networks have.
    fn name(&mut self) {
        let ids: Vec<String> = self.networks.iter().map(|n| n.spec.id.clone()).collect();
        for network in &mut self.networks {
            if ids.iter().filter(|id| **id == network.spec.id).count() > 1 {
                network.name = format!("{}/{}", network.bundle, network.spec.id);
            }
        }
    }

    /// What the mean of `members`, in this order, answers to every row.
    pub fn answers(&self, members: &[usize]) -> Answers {
        let specs: Vec<&OutputSpec> = self.networks.iter().map(|n| &n.spec.output).collect();
        let merges = members.iter().any(|member| specs[*member].merges_classes());
        let by_label = members.len() > 1 || merges;
        let plan = LevelPlan { before: Vec::new(), own: members.to_vec(), by_label };
        let order = self.networks[members[0]].order;
        let mut judge = Judge::new(self.label_count);
        let mut answers = Answers { labels: Vec::new(), scores: Default::default() };
        for row in 0..self.labels.len() {
            let output = |network: usize| self.networks[network].output(row, self.label_count);
            let answer: Answer = judge.answer(&plan, &specs, output, order);
            answers.labels.push(answer.label);
            for (scores, score) in answers.scores.iter_mut().zip(answer.scores) {
                scores.push(score);
            }
        }
        answers
    }

    /// The rows of `split` of a cascade whose levels answer so, judged by `kind`.
    pub fn rows(&self, levels: &[&Answers], kind: ScoreKind, split: Split) -> Rows {
        let chosen: Vec<usize> =
            (0..self.labels.len()).filter(|row| self.splits[*row] == split).collect();
        let level = |answers: &&Answers| LevelRows {
            answers: chosen.iter().map(|row| answers.labels[*row]).collect(),
            scores: chosen.iter().map(|row| answers.scores[kind as usize][*row]).collect(),
        };
        // Numbered anew, since a split has only some of the groups.
        let mut numbers = std::collections::HashMap::new();
        let mut number = |group: u32| {
            let next = numbers.len() as u32;
            *numbers.entry(group).or_insert(next)
        };
        Rows {
            levels: levels.iter().map(level).collect(),
            labels: chosen.iter().map(|row| self.labels[*row]).collect(),
            groups: match self.groups.is_empty() {
                true => Vec::new(),
                false => chosen.iter().map(|row| number(self.groups[*row])).collect(),
            },
        }
    }

    /// The number of rows of `split`, and how many of them have no label.
    pub fn count(&self, split: Split) -> (usize, usize) {
        let rows = self.splits.iter().zip(&self.labels).filter(|(found, _)| **found == split);
        let unlabelled = rows.clone().filter(|(_, label)| label.is_none()).count();
        (rows.count(), unlabelled)
    }

    /// The kinds of score that `answers` can be judged by.
    pub fn kinds(answers: &Answers) -> impl Iterator<Item = ScoreKind> {
        SCORES.into_iter().filter(|kind| answers.has(*kind))
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}
