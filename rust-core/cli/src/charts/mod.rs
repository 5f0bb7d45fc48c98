//! Charts as SVG that light, dark and paper can colour, for every page.
//!
//! Decides what every chart has in common: the axes, the colours and how a
//! point of the data becomes a point of the picture. The style sheet of the page
//! gives each of [`Colour`] its look in light, dark and print, and its dashes,
//! so that no line is told by colour alone.

pub mod axis;
pub mod plot;

use plotters::style::RGBColor;

/// Units of the picture a CSS pixel: coordinates are whole numbers.
pub const SCALE: i32 = 10;

/// The size of a chart, in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub width: i32,
    pub height: i32,
}

impl Size {
    pub const USUAL: Size = Size { width: 440, height: 300 };
    /// Of charts that stand above each other on one axis: on a screen, and on a
    /// phone.
    pub const WIDE: Size = Size { width: 1000, height: 180 };
    pub const NARROW: Size = Size { width: 440, height: 210 };

    pub fn view_box(self) -> String {
        format!("0 0 {} {}", self.width * SCALE, self.height * SCALE)
    }
}

/// What a line is about. The value is its colour on white and, as text, how the
/// style sheet finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    Blue,
    Red,
    Green,
    Purple,
    Brown,
    Gray,
}

impl Colour {
    pub fn rgb(self) -> RGBColor {
        match self {
            Colour::Blue => RGBColor(0x00, 0x62, 0xA3),
            Colour::Red => RGBColor(0xC4, 0x4E, 0x00),
            Colour::Green => RGBColor(0x00, 0x79, 0x5A),
            Colour::Purple => RGBColor(0x8A, 0x3B, 0x8F),
            Colour::Brown => RGBColor(0x8A, 0x61, 0x00),
            Colour::Gray => RGBColor(0x6B, 0x6B, 0x6B),
        }
    }

    /// As the style sheet of the page finds it.
    pub fn hex(self) -> String {
        let RGBColor(red, green, blue) = self.rgb();
        format!("#{red:02X}{green:02X}{blue:02X}")
    }
}

/// What a legend shows beside a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    Line,
    Dot,
    Bar,
}

/// A finished chart.
#[derive(Debug)]
pub struct Chart {
    /// What it shows, for those who do not see it.
    pub title: String,
    pub description: String,
    /// The elements inside of `<svg>`.
    pub inner: String,
    pub size: Size,
    pub legend: Vec<(Colour, Sign, String)>,
    /// Where the data lies in the picture.
    pub frame: Frame,
    /// What the slider moves, if anything.
    pub mark: Option<Mark>,
}

/// What the slider moves in a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// A point at (escalation, accuracy).
    Escalation,
    /// A point at (share of MACs, accuracy).
    Macs,
    /// An upright line at the threshold.
    Threshold,
}

impl Mark {
    pub fn name(self) -> &'static str {
        match self {
            Mark::Escalation => "escalation",
            Mark::Macs => "macs",
            Mark::Threshold => "threshold",
        }
    }
}

/// How values become units of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    pub x: [f64; 2],
    pub y: [f64; 2],
    pub is_log_x: bool,
    /// Left, right, top and bottom of the plotting area.
    pub edges: [f64; 4],
}

impl Frame {
    /// The place of a value, held inside of the plotting area.
    pub fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let share =
            |value: f64, [low, high]: [f64; 2]| ((value - low) / (high - low)).clamp(0.0, 1.0);
        let [left, right, top, bottom] = self.edges;
        let x = if self.is_log_x { x.max(f64::MIN_POSITIVE).log10() } else { x };
        (left + share(x, self.x) * (right - left), bottom - share(y, self.y) * (bottom - top))
    }
}
