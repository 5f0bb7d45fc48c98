//! How long a bundle takes to open.

use std::io::{self, Write};
use std::path::Path;

use biglittle::clock::Clock;
use biglittle::engine::SystemClock;
use biglittle::{Engine, EngineOptions, Error, ModelBundle, Opening, Result};
use serde::Serialize;

use crate::commands::table::duration;

/// How often a bundle is opened in each way.
const OPENINGS: usize = 7;

/// Times to read and check a bundle and to open an engine for it, in
/// nanoseconds on the wall: the medians of so many runs each.
#[derive(Debug, Serialize)]
pub struct OpenFigures {
    /// With the networks of the first level.
    lazy_median_ns: u64,
    /// With all networks.
    eager_median_ns: u64,
    runs: usize,
}

/// Opens a bundle lazily and eagerly in turn.
pub fn measure(path: &Path) -> Result<OpenFigures> {
    let clock = SystemClock::new();
    let time = |opening: Opening| {
        let before = clock.now();
        let bundle = ModelBundle::open(path)?;
        let engine = Engine::open(bundle, &EngineOptions { opening, ..EngineOptions::default() })
            .map_err(|error| error.context(path.display()))?;
        let took = clock.now() - before;
        // Closing is not opening.
        drop(engine);
        Ok::<u64, Error>(took.wall_ns)
    };
    let (mut lazy, mut eager) = ([0; OPENINGS], [0; OPENINGS]);
    for (lazy, eager) in lazy.iter_mut().zip(&mut eager) {
        *lazy = time(Opening::Lazy)?;
        *eager = time(Opening::Eager)?;
    }
    let median = |mut times: [u64; OPENINGS]| {
        times.sort_unstable();
        times[OPENINGS / 2]
    };
    Ok(OpenFigures { lazy_median_ns: median(lazy), eager_median_ns: median(eager), runs: OPENINGS })
}

impl OpenFigures {
    pub fn write(&self, out: &mut dyn Write, path: &Path) -> io::Result<()> {
        writeln!(
            out,
            "{}: bundle opened in {} with its first level, in {} with all networks (medians of {})",
            path.display(),
            duration(self.lazy_median_ns as f64),
            duration(self.eager_median_ns as f64),
            self.runs,
        )
    }
}
