//! Energy counters of the machine, where it has them.
//!
//! Reads the Linux powercap interface (`/sys/class/powercap`), which counts
//! the microjoules of whole processor packages: everything that runs on them
//! is included.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

const POWERCAP: &str = "/sys/class/powercap";

/// The package counters of this machine.
#[derive(Debug)]
pub struct EnergyCounters {
    packages: Vec<Package>,
}

#[derive(Debug)]
struct Package {
    counter: PathBuf,
    /// The value after which the counter starts again at 0.
    range: u64,
}

/// One reading of all counters, in microjoules.
#[derive(Debug)]
pub struct Reading(Vec<u64>);

/// Energy that was measured, and how.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Energy {
    /// Joules of all packages together.
    pub joules: f64,
    /// Always `measured_rail`: counted by the machine, not modelled.
    pub provenance: &'static str,
}

impl EnergyCounters {
    /// The counters that can be read; `None` where there are none.
    pub fn find() -> Option<Self> {
        EnergyCounters::find_in(Path::new(POWERCAP))
    }

    fn find_in(folder: &Path) -> Option<Self> {
        let mut packages: Vec<Package> = fs::read_dir(folder)
            .ok()?
            .flatten()
            // "intel-rapl:0" is a package; "intel-rapl:0:1" is a part of it.
            .filter(|entry| entry.file_name().to_string_lossy().matches(':').count() == 1)
            .filter_map(|entry| {
                let counter = entry.path().join("energy_uj");
                read_number(&counter)?;
                let range = read_number(&entry.path().join("max_energy_range_uj"))?;
                Some(Package { counter, range })
            })
            .collect();
        packages.sort_by(|left, right| left.counter.cmp(&right.counter));
        (!packages.is_empty()).then_some(EnergyCounters { packages })
    }

    /// The counters now; `None` where one can no longer be read.
    pub fn read(&self) -> Option<Reading> {
        self.packages
            .iter()
            .map(|package| read_number(&package.counter))
            .collect::<Option<_>>()
            .map(Reading)
    }

    /// The energy between two readings less than one turn of a counter apart.
    pub fn between(&self, before: &Reading, after: &Reading) -> Energy {
        let microjoules: u64 = self
            .packages
            .iter()
            .zip(before.0.iter().zip(&after.0))
            .map(|(package, (before, after))| match after.checked_sub(*before) {
                Some(difference) => difference,
                None => (package.range - before) + after,
            })
            .sum();
        Energy { joules: microjoules as f64 * 1e-6, provenance: "measured_rail" }
    }
}

fn read_number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str, value: u64) {
        fs::create_dir_all(folder.join(name)).unwrap();
        fs::write(folder.join(name).join("energy_uj"), format!("{value}\n")).unwrap();
        fs::write(folder.join(name).join("max_energy_range_uj"), "1000000\n").unwrap();
    }

    #[test]
    fn packages_are_added_and_counters_wrap() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "intel-rapl:0", 999_000);
        write(folder.path(), "intel-rapl:0:0", 5);
        write(folder.path(), "intel-rapl:1", 10);
        let counters = EnergyCounters::find_in(folder.path()).unwrap();
        let before = counters.read().unwrap();
        write(folder.path(), "intel-rapl:0", 1_000);
        write(folder.path(), "intel-rapl:0:0", 500_000);
        write(folder.path(), "intel-rapl:1", 20);
        let energy = counters.between(&before, &counters.read().unwrap());
        assert!((energy.joules - 2_010e-6).abs() < 1e-12, "{energy:?}");
    }

    #[test]
    fn a_machine_without_counters_has_none() {
        let folder = tempfile::tempdir().unwrap();
        assert!(EnergyCounters::find_in(folder.path()).is_none());
        assert!(EnergyCounters::find_in(&folder.path().join("nowhere")).is_none());
        fs::create_dir(folder.path().join("dtpm:0")).unwrap();
        assert!(EnergyCounters::find_in(folder.path()).is_none());
    }
}
