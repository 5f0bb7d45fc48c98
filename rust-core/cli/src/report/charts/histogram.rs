//! Two histograms above each other: answers that may stand, and those that are
//! a loss.

use biglittle::Result;
use plotters::prelude::*;

use crate::charts::axis::Axis;
use crate::charts::plot::{Area, axes, picture, undrawn};
use crate::charts::{Chart, Colour, Frame, Mark, SCALE, Sign, Size};
use crate::report::ranking::Histogram;

/// Counts are drawn by their logarithm: losses are rare where a cascade is any
/// good.
pub fn histogram(data: &Histogram, score: &str, good: &str, bad: &str) -> Result<Chart> {
    let (inner, frame) = picture(Size::USUAL, |area| {
        let (upper, lower) = area.split_vertically((Size::USUAL.height / 2 - 14) * SCALE);
        let top = panel(&upper, data, &data.good, "", Colour::Blue)?;
        let bottom = panel(&lower, data, &data.bad, score, Colour::Red)?;
        let edges = [top.edges[0], top.edges[1], top.edges[2], bottom.edges[3]];
        Ok(Frame { edges, ..top })
    })?;
    let sum = |bins: &[usize]| bins.iter().sum::<usize>();
    let low = |bins: &[usize]| {
        let below: usize = bins[..bins.len() / 2].iter().sum();
        format!("{below} of {} in the lower half of the scores", sum(bins))
    };
    Ok(Chart {
        title: "Scores of the first level".into(),
        description: format!("{good}: {}. {bad}: {}.", low(&data.good), low(&data.bad)),
        inner,
        size: Size::USUAL,
        legend: vec![
            (Colour::Blue, Sign::Bar, format!("{good} ({}), above", sum(&data.good))),
            (Colour::Red, Sign::Bar, format!("{bad} ({}), below", sum(&data.bad))),
        ],
        frame,
        mark: Some(Mark::Threshold),
    })
}

/// The height of a bar: 0 for none, 1 for one, 2 for ten.
fn height(count: usize) -> f64 {
    if count == 0 { 0.0 } else { 1.0 + (count as f64).log10() }
}

fn panel(
    area: &Area<'_>,
    data: &Histogram,
    bins: &[usize],
    label: &str,
    colour: Colour,
) -> Result<Frame> {
    let most = bins.iter().copied().max().unwrap_or(0).max(10);
    let top = height(most).ceil();
    let decades = top as i32;
    let every = if decades > 4 { 2 } else { 1 };
    let x = Axis::linear(label, [data.low, data.high], |score| {
        // Without the minus of a zero, and no decimal that is not needed.
        format!("{}", (score * 100.0).round() / 100.0 + 0.0)
    });
    let mut y = Axis::linear("samples (log)", [0.0, top * 1.02], |height| {
        if height < 0.5 { "0".into() } else { format!("{}", 10f64.powf(height - 1.0).round()) }
    });
    y.ticks = (0..=decades)
        .filter(|tick| *tick == 0 || (*tick - 1) % every == 0)
        .map(f64::from)
        .collect();
    let (mut chart, frame) = axes(area, &x, &y)?;
    let width = (data.high - data.low) / bins.len() as f64;
    let bars = bins.iter().enumerate().filter(|(_, count)| **count > 0).map(|(bin, count)| {
        let left = data.low + width * bin as f64;
        let corners = [(left + width * 0.06, 0.0), (left + width * 0.94, height(*count))];
        Rectangle::new(corners, colour.rgb().filled())
    });
    chart.draw_series(bars).map_err(undrawn)?;
    Ok(frame)
}
