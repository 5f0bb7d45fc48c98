//! The memory and time of opening a file, good or bad, on a machine that
//! gives the process 256 MB.
//!
//! Each case runs in a process of its own, this test again, whose memory is
//! limited by the shell: Linux only, and not in an emulator, which needs memory
//! itself (`ci/arm64` builds for one, without shared libraries).
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests may fail and report"
)]
#![cfg(target_os = "linux")]

mod support;

use std::process::Command;
use std::time::Duration;

use biglittle::network::{ModelLimits, check_model};
use support::bombs;

/// Says to the child which file to open.
const FILE: &str = "BIGLITTLE_MEMORY_FILE";
/// 256 MB, in the shell's KiB.
const LIMIT_KIB: usize = 256_000_000 / 1024;

#[test]
#[cfg_attr(
    all(target_arch = "aarch64", target_feature = "crt-static"),
    ignore = "an emulator needs more memory itself"
)]
fn files_are_opened_or_refused_within_256_mb() {
    let files = bombs::amplifications().into_iter().map(|(name, bytes, _)| (name, bytes));
    let path = std::env::temp_dir().join(format!("biglittle-memory-{}.onnx", std::process::id()));
    let mut failed = Vec::new();
    for (name, bytes) in bombs::heavy().into_iter().chain(files) {
        std::fs::write(&path, bytes).unwrap();
        let child = Command::new("sh")
            .args(["-c", r#"ulimit -v "$1" && shift && exec "$@""#, "sh"])
            .arg(LIMIT_KIB.to_string())
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "one_case", "--ignored", "--nocapture", "--test-threads=1"])
            .env(FILE, &path)
            // One heap: glibc reserves 64 MB of addresses for each further one.
            .env("MALLOC_ARENA_MAX", "1")
            .env("RUST_BACKTRACE", "0")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&child.stdout).into_owned();
        let line = text.lines().find(|line| line.starts_with("case ")).unwrap_or("no answer");
        println!("{name}: {line}");
        if !child.status.success() {
            failed.push(format!(
                "{name}: {}\n{}",
                child.status,
                String::from_utf8_lossy(&child.stderr)
            ));
        }
    }
    std::fs::remove_file(&path).unwrap();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Processor time of this process: other work on the machine does not count.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(10 * ticks)
}

#[test]
#[ignore = "run by the test above, in a process with little memory"]
fn one_case() {
    let Some(path) = std::env::var_os(FILE) else { return };
    let bytes = std::fs::read(path).unwrap();
    let start = cpu_time();
    let result = check_model(&bytes, &ModelLimits::default());
    let took = cpu_time() - start;
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = |key: &str| {
        let line = status.lines().find(|line| line.starts_with(key)).unwrap_or_default();
        line.split_whitespace().nth(1).unwrap_or_default().parse::<usize>().unwrap() / 1024
    };
    let answer = match &result {
        Ok(summary) => format!("accepted, {} MB estimated", summary.memory_bytes / 1_000_000),
        Err(error) => error.to_string(),
    };
    println!(
        "\ncase {} bytes, {took:?}, {} MiB resident, {} MiB of addresses: {answer}",
        bytes.len(),
        peak("VmHWM"),
        peak("VmPeak")
    );
    assert!(took < support::time_limit(), "{took:?}");
}
