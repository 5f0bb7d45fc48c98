//! Small pictures in the terminal.

use std::io::{self, Write};

/// The gray value from which a pixel is drawn.
const LIT: u8 = 96;

/// Draws gray images of one size side by side, two rows of pixels a line, with
/// a caption under each. Rows that are dark in all of them are left out.
pub fn draw(
    out: &mut dyn Write,
    images: &[(&[u8], String)],
    width: usize,
    height: usize,
) -> io::Result<()> {
    let lit = |pixels: &[u8], x: usize, y: usize| {
        y < height && pixels.get(y * width + x).is_some_and(|value| *value > LIT)
    };
    let used = |y: &usize| (0..width).any(|x| images.iter().any(|(image, _)| lit(image, x, *y)));
    let (first, last) = ((0..height).find(used), (0..height).rfind(used));
    let (Some(first), Some(last)) = (first, last) else { return Ok(()) };
    for top in (first..=last).step_by(2) {
        for (pixels, _) in images {
            for x in 0..width {
                let block = match (lit(pixels, x, top), lit(pixels, x, top + 1)) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                };
                write!(out, "{block}")?;
            }
            write!(out, "  ")?;
        }
        writeln!(out)?;
    }
    for (_, caption) in images {
        write!(out, "{caption:^width$}  ")?;
    }
    writeln!(out)
}
