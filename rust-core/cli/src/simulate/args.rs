//! What can be said to `simulate`.

use std::path::PathBuf;

use biglittle::device::UserMode;
use biglittle::engine::RuntimeOptions;
use biglittle::monitor::AuditOptions;
use biglittle::policy::{Budget, BudgetKind, FrameCosts};
use biglittle::storm::{StormOptions, StormPriority};

use super::Order;
use super::replay::Pace;
use crate::output::Output;
use crate::rows::Chosen;

/// The most frames a second.
const MOST_PER_SECOND: f64 = 1_000.0;

#[derive(Debug, clap::Args)]
#[command(
    group = clap::ArgGroup::new("what").required(true).args(["device", "phone"]),
    group = clap::ArgGroup::new("budget").args(["budget_share", "budget_energy", "battery_until"]),
    after_help = "Examples:\n  \
        biglittle simulate -b pair.biglittle -t photos.parquet --device day.jsonl --report day.html\n  \
        biglittle simulate -b pair.biglittle -t photos.parquet --phone sun --fps 15\n\
        docs/runtime-policy.md describes the recordings, the phone and the page."
)]
pub struct SimulateArgs {
    /// The bundle: a folder or a .biglittle file
    #[arg(long, short)]
    pub bundle: PathBuf,
    /// A trace of that bundle, which `biglittle trace` recorded: its rows become
    /// the frames of the camera
    #[arg(long, short)]
    pub trace: PathBuf,
    /// A recorded phone (JSON Lines): its readings are followed
    #[arg(long, short)]
    pub device: Option<PathBuf>,
    /// A modelled phone, whose battery and heat answer to the networks: `room`,
    /// `sun` or a JSON file. Compares biglittle with a fixed threshold, big alone
    /// and little alone; every joule is modelled
    #[arg(long)]
    pub phone: Option<PathBuf>,
    /// Draw the day in this HTML file; an HTML file of that name is replaced
    #[arg(long)]
    pub report: Option<PathBuf>,
    /// The rows of the trace to take frames from. Thresholds were chosen on the
    /// others
    #[arg(long, default_value = "test")]
    pub split: Chosen,
    /// How rows become frames
    #[arg(long, value_enum, default_value_t = Order::Sample)]
    pub order: Order,
    /// Another seed draws other frames and audits
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Frames a second
    #[arg(long, value_name = "N", default_value_t = 10.0, value_parser = frames_per_second)]
    pub fps: f64,
    /// Lower the frame rate where the policy advises it (to half at level 3)
    #[arg(long)]
    pub heed_advice: bool,
    /// What the user prefers, until the recording says otherwise
    #[arg(long, value_enum, default_value_t = ModeArg::Balanced)]
    pub mode: ModeArg,
    /// Let the threshold go below the certified floor; such answers are counted
    #[arg(long)]
    pub accuracy_may_drop: bool,
    /// A budget: the share of frames that may run the big network, 0 to 1
    #[arg(long, value_name = "SHARE")]
    pub budget_share: Option<f64>,
    /// A budget: millijoules a frame in the mean
    #[arg(long, value_name = "MJ", requires = "frame_costs")]
    pub budget_energy: Option<f64>,
    /// A budget: the battery is to last so many hours from the beginning
    #[arg(long, value_name = "HOURS", requires_all = ["frame_costs", "battery_joules"],
          value_parser = hours)]
    pub battery_until: Option<f64>,
    /// What a frame costs by little and by big, in millijoules
    #[arg(long, value_name = "LITTLE,BIG", value_parser = two, requires = "budget")]
    pub frame_costs: Option<[f64; 2]>,
    /// What the full battery holds
    #[arg(long, value_name = "J", requires = "battery_until")]
    pub battery_joules: Option<f64>,
    /// What everything else on the phone takes, in milliwatts
    #[arg(long, value_name = "MW", requires = "battery_until", default_value_t = 0.0)]
    pub other_milliwatts: f64,
    /// The percentage of the battery that is to be left
    #[arg(long, value_name = "PERCENT", requires = "battery_until", default_value_t = 0.0)]
    pub reserve: f64,
    /// Look at this share of accepted answers with the big network, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub audit: f64,
    /// Let the big network run so often a second in the long run, twice in a
    /// burst; frames for which it may not are dropped
    #[arg(long, value_name = "N")]
    pub storm_guard: Option<f64>,
    /// Answer those frames by little instead, marked as degraded
    #[arg(long, requires = "storm_guard")]
    pub latency_first: bool,
    /// Milliwatts above idle while little and while big run: with them a replay
    /// says joules, by this table times recorded processor time
    #[arg(long, value_name = "LITTLE,BIG", value_parser = two, conflicts_with = "phone")]
    pub milliwatts: Option<[f64; 2]>,
    /// How long big alone takes on the modelled phone, in milliseconds: little in
    /// proportion. Without it, as the phone's file says, or as in the trace
    #[arg(long, value_name = "MS", conflicts_with = "device")]
    pub big_ms: Option<f64>,
    /// How long a modelled day is at most
    #[arg(long, value_name = "HOURS", default_value_t = 24.0, value_parser = hours,
          conflicts_with = "device")]
    pub hours: f64,
    #[command(flatten)]
    pub out: Output,
}

/// [`UserMode`] on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ModeArg {
    Saver,
    Balanced,
    Precise,
}

impl From<ModeArg> for UserMode {
    fn from(mode: ModeArg) -> Self {
        match mode {
            ModeArg::Saver => UserMode::Saver,
            ModeArg::Balanced => UserMode::Balanced,
            ModeArg::Precise => UserMode::Precise,
        }
    }
}

impl SimulateArgs {
    pub fn pace(&self) -> Pace {
        Pace { frames_per_second: self.fps, heeds_advice: self.heed_advice }
    }

    /// The options of the run-time parts; `start_ms` is when the day begins on the
    /// clock of the readings.
    pub fn options(&self, mut options: RuntimeOptions, start_ms: u64) -> RuntimeOptions {
        options.policy.accuracy_may_drop = self.accuracy_may_drop;
        options.budget = self.budget(start_ms);
        if self.audit != 0.0 {
            let probability = self.audit;
            options.audit = Some(AuditOptions {
                probability,
                raised_probability: (5.0 * probability).min(1.0),
                seed: Some(self.seed),
                ..AuditOptions::default()
            });
        }
        options.storm = self.storm_guard.map(|runs_per_second| StormOptions {
            runs_per_second,
            burst: 2.0,
            deadline_ms: 0.0,
            priority: match self.latency_first {
                true => StormPriority::LatencyFirst,
                false => StormPriority::CertificateFirst,
            },
        });
        options
    }

    fn budget(&self, start_ms: u64) -> Option<Budget> {
        let costs = self.frame_costs.map(|[little_millijoules, big_millijoules]| FrameCosts {
            little_millijoules,
            big_millijoules,
        });
        let kind = match (self.budget_share, self.budget_energy, self.battery_until) {
            (Some(share), _, _) => BudgetKind::BigShare(share),
            (_, Some(energy), _) => BudgetKind::EnergyPerFrame(energy),
            (_, _, Some(hours)) => BudgetKind::BatteryUntil {
                until_ms: start_ms.saturating_add((hours * 3.6e6) as u64),
                reserve_percent: self.reserve,
                capacity_joules: self.battery_joules.unwrap_or(0.0),
                other_milliwatts: self.other_milliwatts,
            },
            (None, None, None) => return None,
        };
        Some(Budget { kind, costs })
    }
}

fn frames_per_second(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if (0.001..=MOST_PER_SECOND).contains(&rate) => Ok(rate),
        _ => Err(format!("give a number from 0.001 to {MOST_PER_SECOND}")),
    }
}

fn hours(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(hours) if hours > 0.0 && hours <= 168.0 => Ok(hours),
        _ => Err("give a number above 0, at most 168".into()),
    }
}

fn two(text: &str) -> Result<[f64; 2], String> {
    let parts: Result<Vec<f64>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    match parts.ok().and_then(|parts| <[f64; 2]>::try_from(parts).ok()) {
        Some(parts) if parts.iter().all(|part| part.is_finite() && *part >= 0.0) => Ok(parts),
        _ => Err("give two numbers of at least 0, such as 2,40".into()),
    }
}
