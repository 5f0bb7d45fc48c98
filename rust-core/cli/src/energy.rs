//! Energy counters of the machine, where it has them.
//!
//! Reads the Linux powercap interface (`/sys/class/powercap`), which counts
//! the microjoules of whole processor packages: everything that runs on them
//! is included.

use std::fmt;
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

/// Why energy was not measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unmeasured {
    /// The machine has no counter, or shows none.
    NoCounter,
    /// There are counters, but not for this user.
    Unreadable,
}

impl fmt::Display for Unmeasured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unmeasured::NoCounter => "this machine has no counter for it",
            Unmeasured::Unreadable => "the counters cannot be read: run as root",
        })
    }
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

impl Energy {
    pub fn measured(joules: f64) -> Self {
        Energy { joules, provenance: "measured_rail" }
    }
}

impl EnergyCounters {
    /// The counters of all packages.
    pub fn find() -> Result<Self, Unmeasured> {
        EnergyCounters::find_in(Path::new(POWERCAP))
    }

    fn find_in(folder: &Path) -> Result<Self, Unmeasured> {
        let zones = fs::read_dir(folder).map_err(|_| Unmeasured::NoCounter)?;
        let zones = zones.flatten().filter(is_package).map(|zone| zone.path());
        let mut packages = zones
            .map(|zone| {
                let counter = zone.join("energy_uj");
                let range = read_number(&zone.join("max_energy_range_uj"));
                read_number(&counter).zip(range).map(|(_, range)| Package { counter, range })
            })
            // Without one of them the sum would be of something else.
            .collect::<Option<Vec<_>>>()
            .ok_or(Unmeasured::Unreadable)?;
        packages.sort_by(|left, right| left.counter.cmp(&right.counter));
        if packages.is_empty() {
            Err(Unmeasured::NoCounter)
        } else {
            Ok(EnergyCounters { packages })
        }
    }

    /// The counters now; `None` where one can no longer be read.
    pub fn read(&self) -> Option<Reading> {
        self.packages
            .iter()
            .map(|package| read_number(&package.counter))
            .collect::<Option<_>>()
            .map(Reading)
    }

    /// The joules between two readings less than one turn of a counter apart.
    pub fn between(&self, before: &Reading, after: &Reading) -> f64 {
        let difference = |(package, (before, after)): (&Package, (&u64, &u64))| {
            let turned = || package.range.saturating_sub(*before).saturating_add(*after);
            after.checked_sub(*before).unwrap_or_else(turned) as f64
        };
        let readings = before.0.iter().zip(&after.0);
        self.packages.iter().zip(readings).map(difference).sum::<f64>() * 1e-6
    }
}

/// Whether a zone counts a whole package: not a part of one, not the platform
/// (`psys`), which includes packages, and not the second way to the same
/// counter (`intel-rapl-mmio`).
fn is_package(zone: &fs::DirEntry) -> bool {
    let name = fs::read_to_string(zone.path().join("name")).unwrap_or_default();
    name.starts_with("package-")
        && !zone.file_name().to_string_lossy().starts_with("intel-rapl-mmio")
}

fn read_number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, zone: &str, name: &str, value: u64) {
        let zone = folder.join(zone);
        fs::create_dir_all(&zone).unwrap();
        fs::write(zone.join("name"), format!("{name}\n")).unwrap();
        fs::write(zone.join("energy_uj"), format!("{value}\n")).unwrap();
        fs::write(zone.join("max_energy_range_uj"), "1000000\n").unwrap();
    }

    #[test]
    fn packages_are_added_and_counters_wrap() {
        let folder = tempfile::tempdir().unwrap();
        let write_all = |first: u64, second: u64, other: u64| {
            write(folder.path(), "intel-rapl:0", "package-0", first);
            write(folder.path(), "intel-rapl:1", "package-1", second);
            write(folder.path(), "intel-rapl:0:0", "core", other);
            write(folder.path(), "intel-rapl:2", "psys", other);
            write(folder.path(), "intel-rapl-mmio:0", "package-0", other);
        };
        write_all(999_000, 10, 5);
        let counters = EnergyCounters::find_in(folder.path()).unwrap();
        let before = counters.read().unwrap();
        write_all(1_000, 20, 500_000);
        let joules = counters.between(&before, &counters.read().unwrap());
        assert!((joules - 2_010e-6).abs() < 1e-12, "{joules}");
    }

    #[test]
    fn a_counter_beyond_its_range_is_no_panic() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "intel-rapl:0", "package-0", u64::MAX);
        let counters = EnergyCounters::find_in(folder.path()).unwrap();
        let before = counters.read().unwrap();
        write(folder.path(), "intel-rapl:0", "package-0", 7);
        let joules = counters.between(&before, &counters.read().unwrap());
        assert!((joules - 7e-6).abs() < 1e-12, "{joules}");
    }

    #[test]
    fn no_counter_is_told_from_one_that_cannot_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let why = |folder: &Path| EnergyCounters::find_in(folder).unwrap_err();
        assert_eq!(why(&folder.path().join("nowhere")), Unmeasured::NoCounter);
        assert_eq!(why(folder.path()), Unmeasured::NoCounter);
        fs::create_dir(folder.path().join("dtpm:0")).unwrap();
        write(folder.path(), "intel-rapl:2", "psys", 1);
        assert_eq!(why(folder.path()), Unmeasured::NoCounter);
        write(folder.path(), "intel-rapl:0", "package-0", 1);
        write(folder.path(), "intel-rapl:1", "package-1", 1);
        assert!(EnergyCounters::find_in(folder.path()).is_ok());
        // Root reads everything, so a folder stands for a file that it may not.
        let counter = folder.path().join("intel-rapl:1/energy_uj");
        fs::remove_file(&counter).unwrap();
        fs::create_dir(&counter).unwrap();
        assert_eq!(why(folder.path()), Unmeasured::Unreadable);
        assert!(Unmeasured::Unreadable.to_string().contains("run as root"));
    }
}
