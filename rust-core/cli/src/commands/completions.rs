//! `completions`: a script that completes this command line in a shell.

use std::io;

use biglittle::Result;
use clap::CommandFactory;

use crate::args::{Args, CompletionsArgs};

pub fn run(args: &CompletionsArgs) -> Result<()> {
    clap_complete::generate(args.shell, &mut Args::command(), "biglittle", &mut io::stdout());
    Ok(())
}
