//! What the charts of a simulated day show.

use biglittle::Result;
use biglittle::calibrate::Loss;
use biglittle::device::ThermalLevel;

use crate::charts::axis::{Axis, around, percent_axis, time_axis};
use crate::charts::plot::{Look, Plot, Series};
use crate::charts::{Chart, Colour, Size};
use crate::simulate::compare::{Lived, Who};
use crate::simulate::day::{Day, Moment, Seen, Sums};
use crate::simulate::phone::Phone;
use crate::simulate::samples::Samples;
use crate::simulate::summary::DaySummary;
use crate::simulate::text::{range_name, span};

/// Moments of lines that show a state.
const FINE: usize = 480;
/// Moments of lines that show a share of frames.
const COARSE: usize = 96;

type Named = (&'static str, [Chart; 2]);

/// The names of thermal levels, as an axis has them.
const HEAT: [&str; 7] =
    ["none", "light", "moderate", "severe", "critical", "emergency", "shutdown"];

/// A chart over the day, in both forms.
fn draw(
    title: &str,
    description: String,
    seconds: f64,
    y: Axis,
    series: Vec<Series>,
) -> Result<[Chart; 2]> {
    let x = time_axis(seconds, 8.0);
    let mut plot = Plot { title, description, x, y, series, mark: None };
    let wide = plot.draw_in(Size::WIDE)?;
    plot.x = time_axis(seconds, 4.0);
    let mut charts = [wide, plot.draw_in(Size::NARROW)?];
    // One line is what the title says.
    charts
        .iter_mut()
        .filter(|chart| chart.legend.len() == 1)
        .for_each(|chart| chart.legend.clear());
    Ok(charts)
}

/// Lines of one series: one for each stretch without a gap, and only the first
/// bears the name.
fn lines(name: &str, colour: Colour, look: Look, stretches: Vec<Vec<(f64, f64)>>) -> Vec<Series> {
    let series = |(number, points)| {
        let look = if number == 0 { look } else { Look::Helper };
        Series::new(name, colour, look, points)
    };
    stretches.into_iter().enumerate().map(series).collect()
}

/// Steps of a value that holds over each moment; nothing makes a gap.
fn steps(
    (length_s, moments): &(f64, Vec<Moment>),
    span_s: f64,
    value: impl Fn(&Moment) -> Option<f64>,
) -> Vec<Vec<(f64, f64)>> {
    let mut all: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut open = false;
    for (number, moment) in moments.iter().enumerate() {
        let hour = |number: usize| (number as f64 * length_s).min(span_s) / 3_600.0;
        let (from, to) = (hour(number), hour(number + 1));
        let Some(value) = value(moment) else {
            open = false;
            continue;
        };
        if !open {
            all.push(vec![(from, value)]);
            open = true;
        }
        let points = all.last_mut().expect("one was pushed");
        let before = points.last().map_or(value, |point| point.1);
        if before != value {
            points.push((from, before));
            points.push((from, value));
        }
        match points.len() {
            // A level stretch needs two points only.
            count if count >= 2 && points[count - 2].1 == value && before == value => {
                points[count - 1].0 = to;
            }
            _ => points.push((to, value)),
        }
    }
    all
}

/// A point in the middle of each moment.
fn middles(
    (length_s, moments): &(f64, Vec<Moment>),
    span_s: f64,
    value: impl Fn(&Moment) -> Option<f64>,
) -> Vec<Vec<(f64, f64)>> {
    let mut all: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut open = false;
    for (number, moment) in moments.iter().enumerate() {
        let Some(value) = value(moment) else {
            open = false;
            continue;
        };
        let from = number as f64 * length_s;
        let middle = (from + (from + length_s).min(span_s)) / 2.0;
        if !open {
            all.push(Vec::new());
        }
        open = true;
        all.last_mut().expect("one was pushed").push((middle / 3_600.0, value));
    }
    all
}

/// Moments in which what was seen last still stands while the app runs.
fn carried(mut day: (f64, Vec<Moment>)) -> (f64, Vec<Moment>) {
    let mut last: Option<Seen> = None;
    for moment in &mut day.1 {
        match moment.seen {
            Some(seen) => last = Some(seen),
            None if moment.sums.frames > 0 => moment.seen = last,
            None => {}
        }
    }
    day
}

/// The charts of a replayed day.
pub fn of_day(
    summary: &DaySummary,
    day: &Day,
    samples: &Samples,
    milliwatts: Option<[f64; 2]>,
) -> Result<Vec<Named>> {
    let fine = carried(day.coarser(FINE));
    let seconds = day.span_s;
    let seen = |value: fn(&Seen) -> Option<f64>| {
        steps(&fine, seconds, move |moment| moment.seen.as_ref().and_then(value))
    };
    let mut charts = Vec::new();
    let battery = seen(|seen| seen.battery_percent);
    if !battery.is_empty() {
        let charging = seen(|seen| seen.battery_percent.filter(|_| seen.charging));
        let ends = ends(&battery).unwrap_or_default();
        let mut series = lines("battery", Colour::Blue, Look::Bold, battery);
        series.extend(lines("charging", Colour::Green, Look::Bold, charging));
        let description = format!("From {:.0} % to {:.0} %.", ends[0], ends[1]);
        charts.push(("battery", draw("Battery", description, seconds, battery_axis(), series)?));
    }
    let heat = seen(|seen| seen.thermal_level.map(|level| f64::from(level as u8)));
    if !heat.is_empty() {
        charts.push(("heat", heat_chart(heat, seconds)?));
    }
    let headroom = seen(|seen| seen.thermal_headroom);
    if !headroom.is_empty() {
        charts.push(("headroom", headroom_chart(headroom, seconds)?));
    }
    charts.extend(policy(day, &fine, summary.setting.loss, range_text(day, samples.range))?);
    charts.push(("saved", saved(day, milliwatts)?));
    Ok(charts)
}

/// A value of the sums from the beginning of a day on.
fn so_far(day: &Day, value: &dyn Fn(&Sums) -> Option<f64>) -> Vec<(f64, f64)> {
    let (length_s, moments) = day.coarser(FINE);
    let mut total = Sums::default();
    let point = |(number, moment): (usize, &Moment)| {
        total.add(&moment.sums);
        let at = ((number + 1) as f64 * length_s).min(day.span_s) / 3_600.0;
        Some((at, value(&total)?))
    };
    moments.iter().enumerate().filter_map(point).collect()
}

/// What was saved against big alone, from the beginning on.
fn saved(day: &Day, milliwatts: Option<[f64; 2]>) -> Result<[Chart; 2]> {
    let cpu = so_far(day, &|sums| sums.cpu_saved());
    let macs = so_far(day, &|sums| sums.mac_ratio().map(|ratio| 1.0 - ratio));
    let energy = match milliwatts {
        Some(milliwatts) => so_far(day, &|sums| sums.energy_saved(milliwatts)),
        None => Vec::new(),
    };
    let last = |points: &[(f64, f64)]| points.last().map_or(0.0, |point| point.1);
    let mut said = Vec::new();
    let mut series = Vec::new();
    for (name, what, colour, points) in [
        ("energy", "of energy, by a table of power times processor time", Colour::Green, energy),
        ("processor time", "of processor time", Colour::Blue, cpu),
        (
            "multiply-accumulates",
            "of multiply-accumulates, which are no energy",
            Colour::Gray,
            macs,
        ),
    ] {
        if !points.is_empty() {
            said.push(format!("{:.1} % {what}", 100.0 * last(&points)));
            series.push(Series::new(name, colour, Look::Line, points));
        }
    }
    let all = series.iter().flat_map(|series| series.points.iter().map(|point| point.1));
    let y = around(all, [-10.0, 1.0]);
    let description = format!("In the end {} saved against big alone.", said.join("; "));
    let axis = percent_axis("saved", [y[0].min(0.9), 1.0]);
    draw("Saved so far", description, day.span_s, axis, series)
}

/// Level, threshold, escalation and accuracy: what the policy did.
fn policy(
    day: &Day,
    fine: &(f64, Vec<Moment>),
    loss: Loss,
    (thresholds, range): (String, [f64; 2]),
) -> Result<Vec<Named>> {
    let seconds = day.span_s;
    let coarse = day.coarser(COARSE);
    let ran = |moment: &Moment| moment.sums.frames > 0;
    let level = steps(fine, seconds, |moment| ran(moment).then(|| f64::from(moment.level)));
    let threshold = steps(fine, seconds, Moment::threshold);
    let floor = steps(fine, seconds, Moment::floor);
    let escalated = middles(&coarse, seconds, |moment| {
        let sums = &moment.sums;
        Sums::share(sums.escalated, sums.frames)
    });
    let right = middles(&coarse, seconds, |moment| {
        let sums = &moment.sums;
        Sums::share(sums.right, sums.answered)
    });
    let most = ends_of(&escalated)[1].max(0.01);
    let accuracy = if loss == Loss::Harm { "accuracy" } else { "agreement" };
    let title = if loss == Loss::Harm { "Accuracy" } else { "Agreement with big" };
    let low = around(right.iter().flatten().map(|point| point.1), [0.0, 1.0]);
    let mut lines_of_threshold = lines("threshold", Colour::Blue, Look::Bold, threshold);
    // It shows through where both are the same.
    lines_of_threshold.extend(lines("certified floor", Colour::Brown, Look::Line, floor));
    let at_level = day
        .seconds_at_level
        .iter()
        .enumerate()
        .filter(|(_, seconds)| **seconds > 0.0)
        .map(|(level, seconds)| format!("{} at {level}", span(*seconds)));
    let each = span(coarse.0);
    Ok(vec![
        (
            "level",
            draw(
                "Level of saving",
                format!("{}.", at_level.collect::<Vec<_>>().join(", ")),
                seconds,
                level_axis(),
                lines("level", Colour::Blue, Look::Bold, level),
            )?,
        ),
        (
            "threshold",
            draw(
                "Threshold",
                thresholds,
                seconds,
                Axis::linear("score", range, |score| format!("{}", round(score))),
                lines_of_threshold,
            )?,
        ),
        (
            "escalation",
            draw(
                "Escalated to big",
                format!("The share of frames that little was unsure of, each point over {each}."),
                seconds,
                percent_axis("escalated", [0.0, (1.15 * most).min(1.0)]),
                lines("escalated", Colour::Blue, Look::Line, escalated),
            )?,
        ),
        (
            "accuracy",
            draw(
                title,
                format!("The share of answers that are right, each point over {each}."),
                seconds,
                percent_axis(accuracy, [low[0], 1.0]),
                lines(accuracy, Colour::Blue, Look::Line, right),
            )?,
        ),
    ])
}

/// The threshold in words, and the part of the scores that a chart shows.
fn range_text(day: &Day, (least, most): (f32, f32)) -> (String, [f64; 2]) {
    let all = day.moments.iter().flat_map(|m| [m.threshold(), m.floor()]).flatten();
    let [low, high] = around(all, [f64::from(least), f64::from(most)]);
    let room = (0.25 * (high - low)).max(0.02 * f64::from(most - least));
    let text = match (day.thresholds, day.floors) {
        (Some(thresholds), Some(floors)) => format!(
            "What little's score has to be above: {}; the certified floor {}.",
            range_name(thresholds),
            range_name(floors)
        ),
        _ => String::new(),
    };
    (text, [low - room, high + room])
}

fn round(value: f64) -> f64 {
    (value * 1e4).round() / 1e4 + 0.0
}

fn battery_axis() -> Axis {
    let mut axis = Axis::linear("charge", [0.0, 102.0], |percent| format!("{percent} %"));
    axis.ticks = [0.0, 25.0, 50.0, 75.0, 100.0].into();
    axis
}

fn level_axis() -> Axis {
    let mut axis = Axis::linear("level", [-0.15, 3.2], |level| format!("{level}"));
    axis.ticks = [0.0, 1.0, 2.0, 3.0].into();
    axis
}

fn heat_chart(heat: Vec<Vec<(f64, f64)>>, seconds: f64) -> Result<[Chart; 2]> {
    let most = ends_of(&heat)[1].max(3.0);
    let mut y = Axis::linear("", [-0.15, most + 0.2], |level| {
        HEAT.get(level as usize).copied().unwrap_or("").to_owned()
    });
    y.ticks = (0..=most as u8).map(f64::from).collect();
    let hottest = HEAT[ends_of(&heat)[1] as usize];
    let description = format!("What the system says; at most {hottest}.");
    draw("Thermal level", description, seconds, y, lines("level", Colour::Red, Look::Bold, heat))
}

fn headroom_chart(headroom: Vec<Vec<(f64, f64)>>, seconds: f64) -> Result<[Chart; 2]> {
    let most = ends_of(&headroom)[1].max(1.1);
    let y = Axis::linear("headroom", [0.0, 1.08 * most], |value| format!("{}", round(value)));
    let end = seconds / 3_600.0;
    let line = |name: &str, colour, value: f64| {
        Series::new(name, colour, Look::Line, vec![(0.0, value), (end, value)])
    };
    let mut series = vec![
        line("severe throttling begins", Colour::Red, 1.0),
        line("held by the policy", Colour::Gray, 0.8),
    ];
    series.extend(lines("thermal headroom", Colour::Blue, Look::Bold, headroom));
    let description = "0 is cool, 1 the start of severe throttling (Android).".to_owned();
    draw("Thermal headroom", description, seconds, y, series)
}

/// The first and the last value.
fn ends(stretches: &[Vec<(f64, f64)>]) -> Option<[f64; 2]> {
    Some([stretches.first()?.first()?.1, stretches.last()?.last()?.1])
}

/// The least and the greatest value.
fn ends_of(stretches: &[Vec<(f64, f64)>]) -> [f64; 2] {
    let values = stretches.iter().flatten().map(|point| point.1);
    values.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], value| {
        [low.min(value), high.max(value)]
    })
}

fn colour(who: Who) -> Colour {
    match who {
        Who::Biglittle => Colour::Blue,
        Who::FixedThreshold => Colour::Green,
        Who::AlwaysBig => Colour::Red,
        Who::AlwaysLittle => Colour::Purple,
    }
}

/// One line for each policy; biglittle's is broad and shows under the others.
fn compared(lived: &[Lived], lines_of: impl Fn(&Lived) -> Vec<Vec<(f64, f64)>>) -> Vec<Series> {
    let look = |who| if who == Who::Biglittle { Look::Bold } else { Look::Line };
    let series = |lived: &Lived| {
        lines(lived.who.name(), colour(lived.who), look(lived.who), lines_of(lived))
    };
    lived.iter().flat_map(series).collect()
}

fn longest(lived: &[Lived]) -> f64 {
    lived.iter().map(|lived| lived.day.span_s).fold(0.0, f64::max)
}

/// Battery and temperature under every policy.
pub fn of_phones(phone: &Phone, lived: &[Lived]) -> Result<Vec<Named>> {
    let seconds = longest(lived);
    let seen = |lived: &Lived, value: fn(&Seen) -> Option<f64>| {
        let moments = carried(lived.day.coarser(FINE));
        middles(&moments, lived.day.span_s, move |moment| moment.seen.as_ref().and_then(value))
    };
    let battery = compared(lived, |lived| seen(lived, |seen| seen.battery_percent));
    let lasted = lived.iter().map(|l| format!("{} {}", l.who.name(), span(l.day.span_s)));
    let lasted = format!("Lasted: {}.", lasted.collect::<Vec<_>>().join(", "));
    let mut heat = compared(lived, |lived| seen(lived, |seen| seen.celsius));
    let all = heat.iter().flat_map(|series| series.points.iter().map(|point| point.1));
    let severe = phone.level_celsius[ThermalLevel::Severe as usize - 1];
    let [low, high] = around(all.chain([severe]), [-100.0, 200.0]);
    let end = seconds / 3_600.0;
    let limit = vec![(0.0, severe), (end, severe)];
    heat.insert(0, Series::new("severe begins", Colour::Gray, Look::Line, limit));
    let hottest = lived.iter().map(|l| format!("{} {:.1} °C", l.who.name(), l.hottest_celsius));
    let hottest = format!("Hottest: {}.", hottest.collect::<Vec<_>>().join(", "));
    let degrees = Axis::linear("body", [low, high], |celsius| format!("{celsius} °C"));
    Ok(vec![
        ("battery", draw("Battery (modelled)", lasted, seconds, battery_axis(), battery)?),
        ("heat", draw("Temperature (modelled)", hottest, seconds, degrees, heat)?),
    ])
}

/// What the policy did on that phone, beside the others.
pub fn of_own(own: &Lived, lived: &[Lived], samples: &Samples) -> Result<Vec<Named>> {
    let fine = carried(own.day.coarser(FINE));
    let headroom = steps(&fine, own.day.span_s, |moment| moment.seen?.thermal_headroom);
    let mut charts = Vec::new();
    if !headroom.is_empty() {
        charts.push(("headroom", headroom_chart(headroom, own.day.span_s)?));
    }
    charts.extend(policy(&own.day, &fine, samples.loss, range_text(&own.day, samples.range))?);
    let seconds = longest(lived);
    let saving = |lived: &Lived| vec![so_far(&lived.day, &|sums| sums.cpu_saved())];
    let series = compared(lived, saving);
    let all = series.iter().flat_map(|series| series.points.iter().map(|point| point.1));
    let [low, _] = around(all, [-10.0, 1.0]);
    let description =
        "Processor time against big alone on the same frames; always big saves nothing.".to_owned();
    let y = percent_axis("saved", [low, 1.0]);
    charts.push(("saved", draw("Saved so far", description, seconds, y, series)?));
    Ok(charts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_have_gaps_and_no_needless_points() {
        let values = [Some(1.0), Some(1.0), Some(2.0), None, Some(2.0), Some(2.0)];
        let day = (3_600.0, vec![Moment::default(); 6]);
        let next = std::cell::Cell::new(0);
        let found = steps(&day, 5.5 * 3_600.0, |_| {
            next.set(next.get() + 1);
            values[next.get() - 1]
        });
        assert_eq!(
            found,
            [
                vec![(0.0, 1.0), (2.0, 1.0), (2.0, 1.0), (2.0, 2.0), (3.0, 2.0)],
                vec![(4.0, 2.0), (5.5, 2.0)]
            ]
        );
    }
}
