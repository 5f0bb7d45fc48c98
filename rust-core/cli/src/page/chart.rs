//! A chart in the page: picture, legend, and the words of those who do not see
//! it.

use maud::{Markup, PreEscaped, html};

use crate::charts::{Chart, Colour, Mark, Sign};

/// `place` is where the mark of the threshold in use stands, in the data's
/// unit.
pub fn figure(chart: &Chart, id: &str, place: Option<(f64, f64)>) -> Markup {
    framed(chart, id, &picture(chart, id, None, place))
}

/// A chart in a wide and a narrow form, of which the style sheet shows one.
pub fn figure_in_two(wide: &Chart, narrow: &Chart, id: &str) -> Markup {
    let both = html! {
        (picture(wide, id, Some("wide"), None))
        (picture(narrow, id, Some("narrow"), None))
    };
    framed(wide, id, &both)
}

fn framed(chart: &Chart, id: &str, picture: &Markup) -> Markup {
    html! {
        figure {
            h3 id={ (id) "-title" } { (chart.title) }
            @if !chart.legend.is_empty() {
                ul.legend {
                    @for (colour, sign, name) in &chart.legend { li { (swatch(*colour, *sign)) (name) } }
                }
            }
            (picture)
            figcaption id={ (id) "-text" } { (chart.description) }
        }
    }
}

fn picture(chart: &Chart, id: &str, class: Option<&str>, place: Option<(f64, f64)>) -> Markup {
    let frame = chart.frame;
    let json = serde_json::json!({ "x": frame.x, "y": frame.y, "edges": frame.edges });
    html! {
        svg class=[class] viewBox=(chart.size.view_box()) role="img"
            aria-labelledby={ (id) "-title" } aria-describedby={ (id) "-text" }
            data-mark=[chart.mark.map(Mark::name)]
            data-frame=[chart.mark.map(|_| json.to_string())] {
            (PreEscaped(&chart.inner))
            @if let (Some(mark), Some((x, y))) = (chart.mark, place) {
                @let (x, y) = frame.at(x, y);
                @if mark == Mark::Threshold {
                    line.mark x1=(x) x2=(x) y1=(frame.edges[2]) y2=(frame.edges[3]) {}
                } @else {
                    circle.mark r="75" cx=(x) cy=(y) {}
                }
            }
        }
    }
}

fn swatch(colour: Colour, sign: Sign) -> Markup {
    let hex = colour.hex();
    html! {
        svg viewBox="0 0 380 140" aria-hidden="true" {
            @match sign {
                Sign::Line => polyline points="20,90 360,90" fill="none" stroke=(hex) stroke-width="32" {}
                Sign::Dot => circle cx="190" cy="80" r="55" fill=(hex) {}
                Sign::Bar => rect x="60" y="0" width="260" height="140" fill=(hex) {}
            }
        }
    }
}
