//! The command line of biglittle. Decides nothing itself: parses arguments,
//! calls one command, turns its error into a sentence and an exit code.

mod args;
mod certify;
mod charts;
mod commands;
mod data;
mod energy;
mod files;
mod measure;
mod output;
mod page;
mod quantize;
mod report;
mod rows;
mod search;
mod simulate;
mod target;
mod terminal;
mod trace;

use std::process::ExitCode;

use clap::Parser;
use log::LevelFilter;

use args::{Args, Command};

fn main() -> ExitCode {
    // Usage errors end here with exit code 2.
    let args = Args::parse();
    let level = if args.verbose { LevelFilter::Debug } else { LevelFilter::Error };
    env_logger::Builder::new().filter_module("biglittle", level).init();
    let result = match args.command {
        Command::Demo(args) => commands::demo::run(&args),
        Command::Run(args) => commands::run::run(&args),
        Command::Quantize(args) => commands::quantize::run(&args),
        Command::Evaluate(args) => commands::evaluate::run(&args),
        Command::Trace(args) => commands::trace::run(&args),
        Command::Calibrate(args) => commands::calibrate::run(&args),
        Command::Search(args) => commands::search::run(&args),
        Command::Report(args) => commands::report::run(&args),
        Command::Simulate(args) => commands::simulate::run(&args),
        Command::Bench(args) => commands::bench::run(&args),
        Command::Pack(args) => commands::pack::run(&args),
        Command::Verify(args) => commands::verify::run(&args),
        Command::Inspect(args) => commands::inspect::run(&args),
        Command::Golden(args) => commands::golden::run(&args),
        Command::Schema => commands::schema::run(),
        Command::Completions(args) => commands::completions::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // A reader that has enough, such as `head`, is no failure.
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::print_error(&error);
            ExitCode::FAILURE
        }
    }
}
