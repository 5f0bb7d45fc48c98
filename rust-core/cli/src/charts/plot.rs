//! Lines, dots and bands in a frame.

use std::fmt::Display;

use biglittle::{Error, ErrorKind, Result};
use plotters::coord::Shift;
use plotters::prelude::*;

use super::axis::{Axis, Ticked};
use super::{Chart, Colour, Frame, Mark, SCALE, Sign, Size};

const INK: RGBColor = RGBColor(0x33, 0x33, 0x33);
const GRID: RGBColor = RGBColor(0xDD, 0xDD, 0xDD);
const TEXT: i32 = 16;

/// One line, row of dots, or both.
pub struct Series {
    pub name: String,
    pub colour: Colour,
    pub points: Vec<(f64, f64)>,
    pub look: Look,
    /// For each point the ends of its interval, or none at all.
    pub intervals: Vec<[f64; 2]>,
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    Line,
    Bold,
    Dots,
    /// A line with its intervals as a band around it.
    Band,
    /// As a line that does not bear a name in the legend.
    Helper,
}

impl Series {
    pub fn new(name: &str, colour: Colour, look: Look, points: Vec<(f64, f64)>) -> Self {
        Series { name: name.into(), colour, points, look, intervals: Vec::new() }
    }
}

/// A chart before it is drawn.
pub struct Plot<'a> {
    pub title: &'a str,
    pub description: String,
    pub x: Axis,
    pub y: Axis,
    pub series: Vec<Series>,
    pub mark: Option<Mark>,
}

pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Context<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Ticked, Ticked>>;

impl Plot<'_> {
    pub fn draw(self) -> Result<Chart> {
        self.draw_in(Size::USUAL)
    }

    pub fn draw_in(&self, size: Size) -> Result<Chart> {
        let (inner, frame) = picture(size, |area| {
            let (mut chart, frame) = axes(area, &self.x, &self.y)?;
            for series in &self.series {
                draw_series(&mut chart, &self.x, series)?;
            }
            Ok(frame)
        })?;
        let entry = |series: &Series| {
            let sign = if series.look == Look::Dots { Sign::Dot } else { Sign::Line };
            (series.colour, sign, series.name.clone())
        };
        let named = |series: &&Series| series.look != Look::Helper;
        Ok(Chart {
            title: self.title.into(),
            description: self.description.clone(),
            inner,
            size,
            legend: self.series.iter().filter(named).map(entry).collect(),
            frame,
            mark: self.mark,
        })
    }
}

/// What `draw` draws, as the elements inside of `<svg>`.
pub fn picture<T>(size: Size, draw: impl FnOnce(&Area<'_>) -> Result<T>) -> Result<(String, T)> {
    let mut svg = String::new();
    let drawn = {
        let size = ((size.width * SCALE) as u32, (size.height * SCALE) as u32);
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let drawn = draw(&area)?;
        area.present().map_err(undrawn)?;
        drawn
    };
    let inner = svg.split_once('>').and_then(|(_, rest)| rest.rsplit_once("</svg>"));
    let (inner, _) = inner.expect("the backend writes one svg element");
    Ok((inner.trim().to_owned(), drawn))
}

/// Axes with grid and labels, and where they put values.
pub fn axes<'a, 'b>(area: &'a Area<'b>, x: &Axis, y: &Axis) -> Result<(Context<'a, 'b>, Frame)> {
    let range = |axis: &Axis| Ticked { range: axis.range, ticks: axis.ticks.clone() };
    let mut chart = ChartBuilder::on(area)
        .margin_top(10 * SCALE)
        .margin_right(24 * SCALE)
        .margin_bottom(4 * SCALE)
        .margin_left(4 * SCALE)
        .x_label_area_size(if x.label.is_empty() { 24 } else { 42 } * SCALE)
        .y_label_area_size(84 * SCALE)
        .build_cartesian_2d(range(x), range(y))
        .map_err(undrawn)?;
    let text = |size: i32| ("sans-serif", size * SCALE).into_font().color(&INK);
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID.stroke_width(SCALE as u32))
        .axis_style(INK.stroke_width(SCALE as u32))
        .set_all_tick_mark_size(3 * SCALE)
        .label_style(text(TEXT))
        .axis_desc_style(text(TEXT))
        .x_desc(&x.label)
        .y_desc(&y.label)
        .x_label_formatter(&|place| x.text(*place))
        .y_label_formatter(&|place| y.text(*place))
        .draw()
        .map_err(undrawn)?;
    let (across, down) = chart.plotting_area().get_pixel_range();
    let edges = [across.start, across.end, down.start, down.end].map(f64::from);
    let frame = Frame { x: x.range, y: y.range, is_log_x: x.is_log, edges };
    Ok((chart, frame))
}

fn draw_series(chart: &mut Context<'_, '_>, x: &Axis, series: &Series) -> Result<()> {
    let Series { colour, points, look, intervals, .. } = series;
    let colour = colour.rgb();
    let points: Vec<_> = points.iter().map(|(value, y)| (x.place(*value), *y)).collect();
    let width = |pixels: f64| (pixels * f64::from(SCALE)) as u32;
    if *look == Look::Band {
        let up = points.iter().zip(intervals).map(|(point, ends)| (point.0, ends[1]));
        let down = points.iter().zip(intervals).map(|(point, ends)| (point.0, ends[0])).rev();
        let band = Polygon::new(up.chain(down).collect::<Vec<_>>(), colour.mix(0.14).filled());
        chart.draw_series([band]).map_err(undrawn)?;
    } else {
        let bar = |(point, [low, high]): (&(f64, f64), &[f64; 2])| {
            PathElement::new(
                vec![(point.0, *low), (point.0, *high)],
                colour.stroke_width(width(1.5)),
            )
        };
        chart.draw_series(points.iter().zip(intervals).map(bar)).map_err(undrawn)?;
    }
    let stroke = match look {
        Look::Dots => None,
        Look::Bold => Some(width(3.0)),
        _ => Some(width(2.0)),
    };
    if let Some(stroke) = stroke {
        let line = LineSeries::new(points.iter().copied(), colour.stroke_width(stroke));
        chart.draw_series(line).map_err(undrawn)?;
    }
    if *look == Look::Dots {
        let dot = |point: &(f64, f64)| Circle::new(*point, 4 * SCALE, colour.filled());
        chart.draw_series(points.iter().map(dot)).map_err(undrawn)?;
    }
    Ok(())
}

/// The error of a chart that does not fit together.
pub fn undrawn(error: impl Display) -> Error {
    Error::new(ErrorKind::InvalidData, format!("a chart cannot be drawn: {error}"))
}
