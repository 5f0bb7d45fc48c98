//! Energy, made of the books: joules with their provenance, or a ratio.

use serde::{Deserialize, Serialize};

use super::accounting::Accounting;

/// Where a figure of energy comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnergyProvenance {
    /// A power rail was measured.
    MeasuredRail,
    /// The battery's own counter, for the whole phone.
    BatteryCounter,
    /// A table of the phone's power times measured processor time.
    TableXLatency,
    /// Multiply-accumulates: ratios only, never joules.
    MacModel,
}

/// What turns the books into energy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnergyModel {
    /// A power rail gave this many joules for the whole session; they are
    /// divided by processor time.
    MeasuredRail {
        /// The joules.
        joules: f64,
    },
    /// The battery's counter gave this many joules for the whole session; they
    /// are divided by processor time.
    BatteryCounter {
        /// The joules.
        joules: f64,
    },
    /// Milliwatts above idle while networks run, times processor time.
    TableXLatency {
        /// While the first level runs.
        little_milliwatts: f64,
        /// While a later level runs.
        big_milliwatts: f64,
    },
    /// Multiply-accumulates: no joules.
    MacModel,
}

/// Energy, or where there are no joules only the ratio.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EnergyReport {
    /// Where it comes from.
    pub provenance: EnergyProvenance,
    /// Joules of little, big, overhead and their sum; nothing from a model of
    /// multiply-accumulates.
    pub joules: Option<[f64; 4]>,
    /// The share saved against the big network alone on the same frames; in
    /// multiply-accumulates where there are no joules.
    pub saving: Option<f64>,
}

impl Accounting {
    /// The energy by `model`; `big_macs` are those of the big network alone on
    /// one frame.
    #[must_use]
    pub fn energy(&self, model: &EnergyModel, big_macs: u64) -> EnergyReport {
        let [little, big, overhead, total] =
            [self.little, self.big, self.overhead, self.total].map(|s| s.times.cpu_ns as f64);
        let sum = |[a, b, c]: [f64; 3]| [a, b, c, a + b + c];
        let divide = |joules: f64| {
            (total > 0.0).then(|| sum([little, big, overhead].map(|part| joules * part / total)))
        };
        let saving = self.saving().map(|saving| saving.share);
        match *model {
            EnergyModel::MeasuredRail { joules } => {
                let provenance = EnergyProvenance::MeasuredRail;
                EnergyReport { provenance, joules: divide(joules), saving }
            }
            EnergyModel::BatteryCounter { joules } => {
                let provenance = EnergyProvenance::BatteryCounter;
                EnergyReport { provenance, joules: divide(joules), saving }
            }
            EnergyModel::TableXLatency { little_milliwatts, big_milliwatts } => {
                let watts = [little_milliwatts, big_milliwatts].map(|mw| mw / 1e3);
                // Audits run the big network; the rest of the overhead is as the
                // little one.
                let audits = self.audits.times.cpu_ns as f64;
                let other = (overhead - audits).max(0.0);
                let joules = sum([
                    little * watts[0] / 1e9,
                    big * watts[1] / 1e9,
                    (audits * watts[1] + other * watts[0]) / 1e9,
                ]);
                // The identity of the method: big alone costs its time at its power.
                let alone = saving.map(|share| total / (1.0 - share) * watts[1] / 1e9);
                let saving =
                    alone.filter(|alone| *alone > 0.0).map(|alone| 1.0 - joules[3] / alone);
                let provenance = EnergyProvenance::TableXLatency;
                EnergyReport { provenance, joules: Some(joules), saving }
            }
            EnergyModel::MacModel => {
                let alone = self.frames.answered() as f64 * big_macs as f64;
                let saving = (alone > 0.0).then(|| 1.0 - self.total.macs as f64 / alone);
                EnergyReport { provenance: EnergyProvenance::MacModel, joules: None, saving }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::accounting::tests::session;
    use super::*;

    #[test]
    fn energy_names_where_it_comes_from() {
        let books = session();
        let measured = books.energy(&EnergyModel::MeasuredRail { joules: 9.0 }, 50);
        assert_eq!(measured.joules, Some([2.0, 2.0, 5.0, 9.0]));
        let table = EnergyModel::TableXLatency { little_milliwatts: 1e9, big_milliwatts: 2e9 };
        let [little, big, overhead, total] = books.energy(&table, 50).joules.unwrap();
        assert!((little - 0.1).abs() < 1e-12 && (big - 0.2).abs() < 1e-12);
        assert!((overhead - 0.49).abs() < 1e-12);
        assert_eq!(little + big + overhead, total);
        let macs = books.energy(&EnergyModel::MacModel, 50);
        assert_eq!((macs.joules, macs.saving), (None, Some(1.0 - 160.0 / 500.0)));
    }
}
