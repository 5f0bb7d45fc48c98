//! What each chart shows.

use biglittle::Result;

use crate::charts::axis::{Axis, around, percent_axis};
use crate::charts::plot::{Look, Plot, Series};
use crate::charts::{Chart, Colour, Mark};
use crate::commands::table::{count, duration, percent};
use crate::report::front::{Configuration, Front, FrontPoint};
use crate::report::ranking::{Ranking, Reliability};
use crate::report::summary::Latency;
use crate::report::sweep::Sweep;

/// The colours of lines that are many.
const MANY: [Colour; 4] = [Colour::Blue, Colour::Purple, Colour::Brown, Colour::Green];

/// The fewest rows of a bin of which a chart shows a dot: fewer say nothing.
pub const FEWEST: usize = 10;

/// Accuracy against escalation beside chance and foresight, as far as `most`
/// escalation.
pub fn escalation(sweep: &Sweep, accuracy: &str, most: f64) -> Result<Chart> {
    let cut = |points: &[(f64, f64)]| cut(points, most);
    let steps =
        sweep.steps.iter().map(|step| (sweep.share(step.escalated), sweep.share(step.right)));
    let cascade = cut(&steps.collect::<Vec<_>>());
    let [little, big] = sweep.curve.random;
    let random = cut(&[(0.0, little), (1.0, big)]);
    let oracle = cut(&sweep.curve.oracle.map(|p| (p.escalation, p.accuracy)));
    let all = [&cascade, &random, &oracle].into_iter().flatten().map(|point| point.1);
    let y = around(all, [0.0, 1.0]);
    let step = sweep.in_use();
    let whole = most >= 1.0;
    Plot {
        title: if whole { "Accuracy against escalation" } else { "Its left end, magnified" },
        description: if whole {
            format!(
                "At the threshold in use {} escalate and the {accuracy} is {}. From {} where none \
             escalates to {} where all do; escalating exactly what should be would reach {}.",
                percent(sweep.share(step.escalated), 2),
                percent(sweep.share(step.right), 2),
                percent(little, 2),
                percent(big, 2),
                percent(sweep.curve.oracle[1].accuracy, 2),
            )
        } else {
            format!("The first {} of escalation.", percent(most, 2))
        },
        x: percent_axis("escalated to the next level", [0.0, most]),
        y: percent_axis(accuracy, y),
        series: vec![
            Series::new("oracle: knows which to escalate", Colour::Green, Look::Line, oracle),
            Series::new("random: escalates by chance", Colour::Gray, Look::Line, random),
            Series::new("this cascade, every threshold", Colour::Blue, Look::Bold, cascade),
        ],
        mark: Some(Mark::Escalation),
    }
    .draw()
}

/// The part of a line with `x` at most `most`, the last piece cut through.
fn cut(points: &[(f64, f64)], most: f64) -> Vec<(f64, f64)> {
    let inside = points.iter().take_while(|point| point.0 <= most).count();
    let mut kept = points[..inside].to_vec();
    if let (Some(a), Some(b)) = (kept.last().copied(), points.get(inside)) {
        kept.push((most, a.1 + (b.1 - a.1) * (most - a.0) / (b.0 - a.0)));
    }
    kept
}

/// The risk among the surest, for each level.
pub fn risk(rankings: &[&Ranking], names: &[&str], wrong: &str) -> Result<Chart> {
    let line = |(number, ranking): (usize, &&Ranking)| {
        let name = format!("{} (AURC {:.5})", names[ranking.level], ranking.aurc[0].1);
        let points = ranking.points.iter().map(|point| (point.coverage, point.risk)).collect();
        Series::new(&name, MANY[number % MANY.len()], Look::Line, points)
    };
    let series: Vec<_> = rankings.iter().enumerate().map(line).collect();
    let all = series.iter().flat_map(|series| series.points.iter().map(|point| point.1));
    let [_, high] = around(all, [0.0, 1.0]);
    let at_all = |ranking: &&Ranking| {
        let last = ranking.points.last().map_or(0.0, |point| point.risk);
        format!("{}: {} of all answers {wrong}", names[ranking.level], percent(last, 2))
    };
    Plot {
        title: "Risk against coverage",
        description: rankings.iter().map(at_all).collect::<Vec<_>>().join("; "),
        x: percent_axis("answered, the surest first", [0.0, 1.0]),
        y: percent_axis(wrong, [0.0, high]),
        series,
        mark: None,
    }
    .draw()
}

/// Accuracy against MACs, a line a pair, and the front with its band.
pub fn front(front: &Front, accuracy: &str) -> Result<Chart> {
    let share = |point: &FrontPoint| (point.macs / front.reference_macs, front.accuracy(point));
    let mut best = Series::new(
        "front: none is better in both (band: 95 % Clopper-Pearson)",
        Colour::Green,
        Look::Band,
        stairs(front.best.iter().map(|(_, point)| share(point))),
    );
    best.intervals = {
        let ends = front.best.iter().map(|(_, point)| (share(point).0, front.interval(point)));
        stairs(ends).into_iter().map(|(_, ends)| ends).collect()
    };
    let mut dots = Series::new("one alone", Colour::Gray, Look::Dots, Vec::new());
    let mut series = Vec::new();
    for configuration in &front.configurations {
        let points: Vec<_> = configuration.points.iter().map(share).collect();
        if configuration.score.is_none() {
            dots.points.extend(points);
        } else if let Some(colour) = front.colour(configuration) {
            series.push(Series::new(&configuration.name, colour, Look::Line, points));
        }
    }
    let shown = || best.points.iter().chain(&dots.points);
    let ends = best.intervals.iter().flatten().copied();
    let y = around(shown().map(|point| point.1).chain(ends), [0.0, 1.0]);
    let [low, high] =
        shown().fold([f64::INFINITY, 0.0f64], |[low, high], (x, _)| [low.min(*x), high.max(*x)]);
    series.insert(0, best);
    series.push(dots);
    Plot {
        title: "Accuracy against cost",
        description: format!(
            "{} configurations, of which {} settings are on the front.",
            front.configurations.len(),
            front.best.len()
        ),
        x: Axis::log(
            "MACs, as a share of the last level alone (log)",
            [low / 1.15, high * 1.15],
            |share| {
                let percent = share * 100.0;
                let decimals = (-percent.log10().floor()).clamp(0.0, 3.0) as usize;
                format!("{percent:.decimals$} %")
            },
        ),
        y: percent_axis(accuracy, y),
        series,
        mark: Some(Mark::Macs),
    }
    .draw()
}

/// A front as it is: nothing is better before the next point comes.
fn stairs<T: Copy>(points: impl Iterator<Item = (f64, T)>) -> Vec<(f64, T)> {
    let mut all: Vec<(f64, T)> = Vec::new();
    for (x, y) in points {
        if let Some((_, before)) = all.last().copied() {
            all.push((x, before));
        }
        all.push((x, y));
    }
    all
}

impl Front {
    /// The colour of a pair that has a point on the front, as long as there are
    /// colours.
    fn colour(&self, configuration: &Configuration) -> Option<Colour> {
        const PAIRS: [Colour; 4] = [Colour::Blue, Colour::Purple, Colour::Brown, Colour::Red];
        let mut pairs: Vec<usize> = self.best.iter().map(|(number, _)| *number).collect();
        pairs.retain(|number| self.configurations[*number].score.is_some());
        pairs.sort_unstable();
        pairs.dedup();
        let same = |n: &usize| std::ptr::eq(&raw const self.configurations[*n], configuration);
        PAIRS.get(pairs.iter().position(same)?).copied()
    }
}

/// Accuracy against the probability that a level claims.
pub fn reliability(all: &[&Reliability], names: &[&str], accuracy: &str) -> Result<Chart> {
    let mut series = vec![Series::new(
        "perfectly calibrated",
        Colour::Gray,
        Look::Line,
        vec![(0.0, 0.0), (1.0, 1.0)],
    )];
    for (number, reliability) in all.iter().enumerate() {
        let name = format!("{} (ECE {})", names[reliability.level], percent(reliability.ece, 2));
        let shown = || reliability.bins.iter().filter(|bin| bin.count >= FEWEST);
        let points = shown().map(|bin| (bin.probability, bin.accuracy)).collect();
        let mut dots = Series::new(&name, MANY[number % MANY.len()], Look::Dots, points);
        dots.intervals = shown().map(|bin| bin.interval).collect();
        series.push(dots);
    }
    let fullest = |r: &&Reliability| {
        let bin = r.bins.iter().max_by_key(|bin| bin.count).expect("there are rows");
        format!(
            "{}: {} answers claim {} on average, and the {accuracy} among them is {}",
            names[r.level],
            bin.count,
            percent(bin.probability, 2),
            percent(bin.accuracy, 2)
        )
    };
    // Where there are no dots there is nothing to see.
    let lowest = series[1..].iter().flat_map(|series| series.points.iter().map(|point| point.0));
    let low = (lowest.fold(1.0, f64::min) * 5.0 - 1e-9).floor().max(0.0) / 5.0;
    let low = if low >= 1.0 { 0.0 } else { low };
    let ends = series[1..].iter().flat_map(|series| series.intervals.iter().map(|ends| ends[0]));
    let lowest_end = ends.fold(1.0, f64::min);
    series[0].points[0] = (low, low);
    Plot {
        title: "Is a probability what it says?",
        description: all.iter().map(fullest).collect::<Vec<_>>().join("; "),
        x: percent_axis("largest probability", [low, 1.0]),
        y: percent_axis(accuracy, [lowest_end.min(low), 1.0]),
        series,
        mark: None,
    }
    .draw()
}

/// Percentiles of CPU time, a row each.
pub fn latency(all: &[Latency]) -> Result<Chart> {
    // Microseconds, and at least a nanosecond: a logarithm is taken.
    let value = |ns: u64| ns.max(1) as f64;
    let ends = all.iter().flat_map(|latency| [value(latency.p50_ns), value(latency.p99_ns)]);
    let [low, high] =
        ends.fold([f64::INFINITY, 0.0f64], |[low, high], x| [low.min(x), high.max(x)]);
    let place = |number: usize| (all.len() - 1 - number) as f64;
    let mut series: Vec<_> = all
        .iter()
        .enumerate()
        .map(|(number, latency)| {
            let ends = [latency.p50_ns, latency.p99_ns].map(|ns| (value(ns), place(number)));
            Series::new("", Colour::Gray, Look::Helper, ends.into())
        })
        .collect();
    let dots = |name: &str, colour, of: fn(&Latency) -> u64| {
        let point = |(number, latency): (usize, &Latency)| (value(of(latency)), place(number));
        Series::new(name, colour, Look::Dots, all.iter().enumerate().map(point).collect())
    };
    series.push(dots("half are faster (p50)", Colour::Blue, |l| l.p50_ns));
    series.push(dots("95 % are faster (p95)", Colour::Purple, |l| l.p95_ns));
    series.push(dots("99 % are faster (p99)", Colour::Red, |l| l.p99_ns));
    let names: Vec<String> = all.iter().rev().map(|latency| shortened(&latency.name)).collect();
    let mut y = Axis::linear("", [-0.5, all.len() as f64 - 0.5], move |place| {
        names.get(place.round() as usize).cloned().unwrap_or_default()
    });
    y.ticks = (0..all.len()).map(|number| number as f64).collect();
    let words = |l: &Latency| format!("{}: half within {}", l.name, duration(l.p50_ns as f64));
    Plot {
        title: "CPU time of a sample",
        description: all.iter().map(words).collect::<Vec<_>>().join("; "),
        x: Axis::log("measured CPU time (log)", [low / 1.3, high * 1.3], short_duration),
        y,
        series,
        mark: None,
    }
    .draw()
}

/// Nanoseconds without needless decimals.
fn short_duration(ns: f64) -> String {
    let text = duration(ns * (1.0 + 1e-9));
    let (number, unit) = text.split_once(' ').unwrap_or((&text, ""));
    let number = match number.split_once('.') {
        Some((whole, decimals)) if decimals.bytes().all(|digit| digit == b'0') => whole,
        _ => number,
    };
    format!("{number} {unit}")
}

/// A name that fits beside an axis.
fn shortened(name: &str) -> String {
    if name.chars().count() <= 9 {
        return name.to_owned();
    }
    name.chars().take(8).chain(['…']).collect()
}

/// As [`count`], for those who write about charts.
pub fn macs(value: f64) -> String {
    format!("{} MACs", count(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_through_where_it_leaves() {
        let line = vec![(0.0, 0.0), (0.5, 1.0), (1.0, 0.0)];
        assert_eq!(cut(&line, 1.0), line);
        assert_eq!(cut(&line, 0.75), [(0.0, 0.0), (0.5, 1.0), (0.75, 0.5)]);
        assert_eq!(cut(&line, 0.25), [(0.0, 0.0), (0.25, 0.5)]);
    }

    #[test]
    fn names_and_times_are_short() {
        assert_eq!(shortened("efficientnet"), "efficien…");
        assert_eq!(shortened("little"), "little");
        assert_eq!(
            ["10 µs", "1 ms", "300 ns"].map(str::to_owned),
            [1e4, 1e6, 300.0].map(short_duration)
        );
    }
}
