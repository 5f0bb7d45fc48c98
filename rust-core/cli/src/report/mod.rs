//! Reports: one page that says what a cascade is worth on a trace.
//!
//! Decides what is shown and how. Numbers come from [`biglittle::calibrate`],
//! [`sweep`], [`front`] and [`ranking`]; `charts` draws them as SVG, `page`
//! makes them one HTML file that needs nothing else. Called by the command
//! `report`; reads traces, never networks.

mod charts;
mod front;
mod gallery;
mod page;
mod ranking;
mod summary;
mod sweep;

pub use gallery::Gallery;
pub use page::render;
pub use summary::Summary;

/// Some of the numbers from 0 to `count - 1`, about `most`, first and last
/// among them: every one near 0, ever fewer further on, and evenly spread ones.
fn thinned(count: usize, most: usize) -> Vec<usize> {
    if count <= most {
        return (0..count).collect();
    }
    let (last, half) = ((count - 1) as f64, (most / 2).max(2) as f64);
    let even = (0..=half as usize).map(|step| (last * step as f64 / half) as usize);
    let growing = (0..half as usize).map(|step| (last.powf(step as f64 / (half - 1.0))) as usize);
    let mut all: Vec<_> = even.chain(growing).chain([0, count - 1]).collect();
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_the_ends_and_the_beginning() {
        assert_eq!(thinned(3, 10), [0, 1, 2]);
        let some = thinned(50_000, 400);
        assert!(some.len() <= 404 && some.len() > 300, "{}", some.len());
        assert_eq!((some[0], *some.last().unwrap()), (0, 49_999));
        assert_eq!(some[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert!(some.windows(2).all(|pair| pair[1] - pair[0] <= 250));
    }
}
