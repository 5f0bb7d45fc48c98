//! Where the core's log goes: logcat, Apple's unified log, or standard error.

use crate::error::{NativeError, guarded};

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What an app developer has to look at.
    Error,
    /// What was put right: bad readings, networks that failed, alarms.
    Warn,
    /// What happened.
    Info,
    /// What is of use to a developer of biglittle.
    Debug,
}

impl From<LogLevel> for log::LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Off => log::LevelFilter::Off,
            LogLevel::Error => log::LevelFilter::Error,
            LogLevel::Warn => log::LevelFilter::Warn,
            LogLevel::Info => log::LevelFilter::Info,
            LogLevel::Debug => log::LevelFilter::Debug,
        }
    }
}

/// Begins to log at this level, with the tag `biglittle`; a later call changes
/// the level. Without it nothing is logged.
///
/// # Errors
/// None; a result because every function of this layer gives one. A logger that
/// the process has already is kept, and only the level is set.
#[uniffi::export]
pub fn init_logging(level: LogLevel) -> Result<(), NativeError> {
    guarded(|| {
        install();
        log::set_max_level(level.into());
        Ok(())
    })
}

#[cfg(target_os = "android")]
fn install() {
    // Does nothing the second time.
    android_logger::init_once(android_logger::Config::default().with_tag("biglittle"));
}

#[cfg(target_vendor = "apple")]
fn install() {
    // Fails the second time: that logger is there already.
    let _ = oslog::OsLogger::new("dev.biglittle").init();
}

#[cfg(not(any(target_os = "android", target_vendor = "apple")))]
fn install() {
    // As above.
    let _ = log::set_logger(&StandardError);
}

#[cfg(not(any(target_os = "android", target_vendor = "apple")))]
struct StandardError;

#[cfg(not(any(target_os = "android", target_vendor = "apple")))]
impl log::Log for StandardError {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &log::Record<'_>) {
        use std::io::Write;
        if self.enabled(record.metadata()) {
            let (level, text) = (record.level(), record.args());
            // A closed standard error must not stop an app.
            let _ = writeln!(std::io::stderr(), "biglittle {level}: {text}");
        }
    }

    fn flush(&self) {}
}
