//! Keeps what the library logs.

use std::sync::Mutex;

/// What was logged, by all tests of a binary, as `LEVEL sentence`.
static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Keeper;

impl log::Log for Keeper {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        LOG.lock().unwrap().push(format!("{} {}", record.level(), record.args()));
    }

    fn flush(&self) {}
}

/// From here on, warnings are kept. May be called by every test.
pub fn keep() {
    // It fails where another test has set it.
    let _ = log::set_logger(&Keeper);
    log::set_max_level(log::LevelFilter::Warn);
}

/// How many warnings had all of these parts.
pub fn warnings(parts: &[&str]) -> usize {
    let log = LOG.lock().unwrap();
    let warns = |line: &&String| line.starts_with("WARN") && parts.iter().all(|p| line.contains(p));
    log.iter().filter(warns).count()
}
